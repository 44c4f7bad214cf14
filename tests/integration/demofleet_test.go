package integration

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/milterscan/milterscan/tests/integration/servers"
)

// TestDemoFleet runs "make demo-fleet": it shows what it promises, to the end.
func TestDemoFleet(t *testing.T) {
	needServers(t)
	cmd := exec.Command("go", "run", "../demo/fleet", "-binary", servers.Binary(t))
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, want := range []string{
		"mx1    newsletter, first try            451", "mx2    newsletter, again                250", "mx1    a program                        250",
		"refused: released already", "mx1    newsletter                       no answer", "arrived at both together:        3", "nothing is left behind",
	} {
		if !strings.Contains(string(out), want) {
			t.Errorf("it does not show %q:\n%s", want, out)
		}
	}
}
