package procstat

import (
	"os"
	"os/exec"
	"testing"
)

func TestReadCountsChildren(t *testing.T) {
	alone, err := Read(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	if alone.RSS == 0 || alone.Descriptors < 3 || alone.Threads == 0 {
		t.Errorf("a running process uses %+v", alone)
	}
	child := exec.Command("cat") // waits for its input
	in, err := child.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	both, err := Read(os.Getpid())
	in.Close()
	child.Wait()
	if err != nil || both.Descriptors < alone.Descriptors+3 {
		t.Errorf("with a child: %+v, %v; without: %+v", both, err, alone)
	}
}

func TestReadOfNobody(t *testing.T) {
	if u, err := Read(1 << 30); err == nil {
		t.Errorf("a process that cannot exist uses %+v", u)
	}
}
