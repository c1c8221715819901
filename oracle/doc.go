// Package oracle compares the model adapters with the official SDKs: the same
// recorded streams go through both, and what comes out must agree.
//
// It is a module of its own so that the SDKs, which are large, are no
// dependency of the product. It contains no code besides its tests.
package oracle
