package access

import "syscall"

// hasList reports whether a file has an access control list as well as its mode.
func hasList(path string) bool {
	n, err := syscall.Getxattr(path, "system.posix_acl_access", nil)
	return err == nil && n > 0
}
