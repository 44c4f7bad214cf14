// Search looks for the message that costs most: it makes up bombs of every kind, has
// milterscan scan each, and goes on from the worst ones, changed a little.
//
//	go run ./tests/bombs/search -for 10m -binary bin/milterscan
//
// It ends with status 1 if one takes more than -cpu or -memory.
package main

import (
	"bytes"
	"cmp"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"github.com/milterscan/milterscan/tests/bombs"
)

// limits are what no message may take.
type limits struct {
	cpu    time.Duration
	memory int64 // MB
}

// result is what one message took.
type result struct {
	bomb   bombs.Shape
	size   int
	cpu    time.Duration
	memory int64 // MB
	output int   // bytes
}

// badness returns the share of the limits that a result takes.
func (l limits) badness(r result) float64 {
	return max(r.cpu.Seconds()/l.cpu.Seconds(), float64(r.memory)/float64(l.memory))
}

func main() {
	if len(os.Args) > 2 && os.Args[1] == launchWord {
		launch(os.Args[2:])
	}
	for_ := flag.Duration("for", 10*time.Minute, "how long to search")
	binary := flag.String("binary", "bin/milterscan", "the milterscan to measure")
	seed := flag.Uint64("seed", uint64(time.Now().UnixNano()), "of the search")
	var l limits
	flag.DurationVar(&l.cpu, "cpu", 2*time.Second, "processor time that a message may take, children included")
	flag.Int64Var(&l.memory, "memory", 300, "megabytes that a message may take")
	flag.Parse()
	dir, err := os.MkdirTemp("", "bombs-")
	if err != nil {
		fail(err)
	}
	defer os.RemoveAll(dir)
	fmt.Printf("seed %d\n", *seed)
	worst, err := search(time.Now().Add(*for_), rand.New(rand.NewPCG(*seed, 1)), l,
		func(s bombs.Shape) (result, error) { return measure(*binary, dir, s) })
	if err != nil {
		fail(err)
	}
	for _, r := range worst {
		fmt.Println(r)
	}
	if len(worst) > 0 && l.badness(worst[0]) > 1 {
		os.RemoveAll(dir)
		os.Exit(1)
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(2)
}

func (r result) String() string {
	return fmt.Sprintf("%5.2f s %4d MB, output %8d bytes: mail of %9d bytes, %v", r.cpu.Seconds(), r.memory, r.output, r.size, r.bomb)
}

// kept is how many of the worst are gone on from.
const kept = 12

// search tries shapes until the time is over: one in three made up again, the others
// from the worst so far. It returns the worst.
func search(until time.Time, r *rand.Rand, l limits, try func(bombs.Shape) (result, error)) ([]result, error) {
	var worst []result
	tried := 0
	for ; time.Now().Before(until); tried++ {
		s := bombs.RandomShape(r)
		if tried > 2*kept && r.IntN(3) > 0 {
			s = worst[r.IntN(len(worst))].bomb.Mutated(r)
		}
		got, err := try(s)
		if err != nil {
			return nil, fmt.Errorf("%v: %w", s, err)
		}
		if len(worst) == 0 || l.badness(got) > l.badness(worst[0]) {
			fmt.Println(got)
		}
		worst = append(worst, got)
		slices.SortFunc(worst, func(a, b result) int { return cmp.Compare(l.badness(b), l.badness(a)) })
		worst = worst[:min(len(worst), kept)]
	}
	fmt.Printf("%d messages tried; the worst:\n", tried)
	return worst, nil
}

// measure scans a message with such an attachment.
func measure(binary, dir string, s bombs.Shape) (result, error) {
	mail := s.Mail()
	file := filepath.Join(dir, "bomb.eml")
	if err := os.WriteFile(file, mail, 0o600); err != nil {
		return result{}, err
	}
	cmd := exec.Command("/proc/self/exe", launchWord, binary, "scan", "--json", file)
	var out, usage bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &usage
	err := cmd.Run()
	r := result{bomb: s, size: len(mail), output: out.Len()}
	if err != nil || !bytes.Contains(out.Bytes(), []byte(`"action"`)) {
		return r, fmt.Errorf("%v: %s", err, usage.String())
	}
	_, err = fmt.Sscan(usage.String(), (*int64)(&r.cpu), &r.memory)
	return r, err
}

// launchWord is the first argument of the process that starts the measured one: the
// kernel counts the memory of a process that starts another for that one, too.
const launchWord = "launch"

// launch runs a command and ends this process. It writes what the command took to stderr,
// in nanoseconds and megabytes.
func launch(command []string) {
	cmd := exec.Command(command[0], command[1:]...)
	var complaint bytes.Buffer
	cmd.Stdout, cmd.Stderr = os.Stdout, &complaint
	err := cmd.Run()
	if cmd.ProcessState == nil || complaint.Len() > 0 {
		fail(fmt.Errorf("%v: %s", err, complaint.String()))
	}
	used := cmd.ProcessState.SysUsage().(*syscall.Rusage)
	fmt.Fprintln(os.Stderr, int64(cmd.ProcessState.UserTime()+cmd.ProcessState.SystemTime()), used.Maxrss>>10)
	os.Exit(0)
}
