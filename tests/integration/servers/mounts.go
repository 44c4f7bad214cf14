package servers

import "os/exec"

// NeedMounts skips a test for which a server gets its own view of the files, where the
// kernel allows that not even to root: in many containers.
func NeedMounts(t interface {
	TB
	Skipf(format string, args ...any)
}) {
	t.Helper()
	if out, err := exec.Command("unshare", "--mount", "true").CombinedOutput(); err != nil {
		t.Skipf("no private mounts here: %v: %s", err, out)
	}
}
