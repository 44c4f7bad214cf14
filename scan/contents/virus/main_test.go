package virus

import (
	"os"
	"testing"

	"go.uber.org/goleak"

	"github.com/milterscan/milterscan/scan/open/worker"
)

// TestMain fails when an engine, or a fake, leaves a goroutine behind. As the
// program itself does, it serves as the worker.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "worker" {
		os.Exit(worker.Main(os.Args[2:], os.Stdin, os.Stdout, os.Stderr))
	}
	goleak.VerifyTestMain(m)
}
