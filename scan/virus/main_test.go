package virus

import (
	"testing"

	"go.uber.org/goleak"
)

// TestMain fails when an engine, or a fake, leaves a goroutine behind.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }
