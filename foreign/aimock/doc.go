// Package aimock holds tests of the model adapters against @copilotkit/aimock,
// a server of model APIs that nobody here wrote. `npm ci --prefix
// foreign/aimock` installs it; without it the tests skip, or fail where
// CI_FOREIGN=1 says that it must be there.
//
// The package contains no code besides its tests, which own the server
// process they start. The adapters' own behaviour is tested beside them, on
// recorded streams.
package aimock
