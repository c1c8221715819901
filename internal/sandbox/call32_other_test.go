//go:build !amd64

package sandbox_test

import "errors"

func call32() error { return errors.ErrUnsupported }
