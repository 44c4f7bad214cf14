//go:build !linux

package worker

import (
	"errors"
	"os"
	"runtime"
	"syscall"
	"time"

	"github.com/milterscan/milterscan/scan/format/archive"
	"github.com/milterscan/milterscan/scan/units"
)

// confine cannot confine on this system; the parent's wall clock limit remains.
func confine(units.Size) []string { return []string{"nothing is taken away on " + runtime.GOOS} }

func allowCPU(time.Duration, func()) func() { return func() {} }

func dieWithUs() *syscall.SysProcAttr { return new(syscall.SysProcAttr) }

func cpuOf(int) time.Duration { return 0 }

func roomFor(units.Size) bool { return true }

var errLinux = errors.New("helpers are for Linux only")

func inMemory(archive.Content) (*os.File, error) { return nil, errLinux }

func become(rights, []string) error { return errLinux }
