package login

import "errors"

// ErrNobody is reported where no one has logged in, or no longer is.
var ErrNobody = errors.New("nobody has logged in")
