package pipeline

import (
	"testing"

	"github.com/milterscan/milterscan/tests/child"
)

// TestMain lets the test binary start itself as the child that reads archives,
// and looks for goroutines that outlive the tests.
func TestMain(m *testing.M) { child.Watched(m) }
