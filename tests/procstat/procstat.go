// Package procstat reads from /proc what a process and its children cost.
package procstat

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// Usage is what a process and all its descendants have used so far, or use now.
type Usage struct {
	CPU         time.Duration // user and system, of ended children as well
	RSS, PSS    int64         // bytes; PSS counts a page shared by n processes as 1/n
	Descriptors int
	Threads     int
}

// tick is the kernel's USER_HZ, which is 100 on every Linux that Go supports.
const tick = time.Second / 100

// Read adds up the process and its descendants. A descendant that ends while it
// is looked at is left out.
func Read(pid int) (Usage, error) {
	u, err := one(pid)
	if err != nil {
		return Usage{}, err
	}
	for _, child := range Children(pid) {
		c, err := Read(child)
		if err != nil {
			continue
		}
		u.CPU += c.CPU
		u.RSS += c.RSS
		u.PSS += c.PSS
		u.Descriptors += c.Descriptors
		u.Threads += c.Threads
	}
	return u, nil
}

// Positions in /proc/PID/stat, counted from the field after the name: see
// proc_pid_stat(5).
const (
	statUtime   = 11
	statStime   = 12
	statCutime  = 13
	statCstime  = 14
	statThreads = 17
	statRSS     = 21
)

func one(pid int) (Usage, error) {
	text, err := os.ReadFile(path(pid, "stat"))
	if err != nil {
		return Usage{}, err
	}
	fields := bytes.Fields(text[bytes.LastIndexByte(text, ')')+1:])
	if len(fields) <= statRSS {
		return Usage{}, fmt.Errorf("%s has %d fields", path(pid, "stat"), len(fields))
	}
	number := func(i int) int64 {
		n, _ := strconv.ParseInt(string(fields[i]), 10, 64)
		return n
	}
	ticks := number(statUtime) + number(statStime) + number(statCutime) + number(statCstime)
	open, _ := os.ReadDir(path(pid, "fd"))
	return Usage{
		CPU:         time.Duration(ticks) * tick,
		RSS:         number(statRSS) * int64(os.Getpagesize()),
		PSS:         pss(pid),
		Descriptors: len(open),
		Threads:     int(number(statThreads)),
	}, nil
}

// pss returns the "Pss:" line of smaps_rollup, in bytes; 0 where we may not read it.
func pss(pid int) int64 {
	text, _ := os.ReadFile(path(pid, "smaps_rollup"))
	for line := range strings.Lines(string(text)) {
		if kb, ok := strings.CutPrefix(line, "Pss:"); ok {
			n, _ := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(kb), " kB"), 10, 64)
			return n << 10
		}
	}
	return 0
}

// Resident returns the memory of a process and all its descendants in bytes, where each
// is at its highest so far.
func Resident(pid int) int64 {
	total := mostResident(pid)
	for _, child := range Children(pid) {
		total += Resident(child)
	}
	return total
}

// mostResident returns the "VmHWM:" line of status; 0 for a process that is gone.
func mostResident(pid int) int64 {
	text, _ := os.ReadFile(path(pid, "status"))
	for line := range strings.Lines(string(text)) {
		if kb, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			n, _ := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(kb), " kB"), 10, 64)
			return n << 10
		}
	}
	return 0
}

// Children returns the processes any thread of pid has started.
func Children(pid int) []int {
	var pids []int
	lists, _ := filepath.Glob(path(pid, "task/*/children"))
	for _, list := range lists {
		text, _ := os.ReadFile(list)
		for _, word := range strings.Fields(string(text)) {
			child, _ := strconv.Atoi(word)
			pids = append(pids, child)
		}
	}
	return pids
}

func path(pid int, name string) string { return fmt.Sprintf("/proc/%d/%s", pid, name) }
