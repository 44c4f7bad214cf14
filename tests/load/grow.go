package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/policy/keep/history/historytest"
	"github.com/milterscan/milterscan/policy/keep/store"
	"github.com/milterscan/milterscan/tests/integration/servers"
	"github.com/milterscan/milterscan/tests/sample"
)

// ofSize returns a mail with a photograph, of about so many bytes.
func ofSize(n int) [][]byte {
	return [][]byte{sample.Attached(fmt.Sprintf("%d bytes", n), sample.Noise("panorama.jpg", n/4*3, uint64(n)))}
}

// withHistory has a history that remembers n mails of the last weeks. What an earlier point of the curve put there stays,
// beside the mails it was measured with, which no mail has to look at.
func withHistory(t servers.TB, dir string, n int) setting {
	file := filepath.Join(dir, "history.db")
	fill(t, file, n/10, n) // the point before this one
	return setting{config: fmt.Sprintf("[history]\nfile = %q\n", file), connections: usual}
}

// fill adds records to a history, and puts them into blocks as the daemon does when it has nothing else to do.
func fill(t servers.TB, file string, from, to int) {
	h := store.NewHistory(file, func(err error) { fmt.Fprintln(os.Stderr, err) })
	defer h.Close()
	if _, err := os.Stat(file); err != nil {
		from = 0
	}
	const atOnce = 1024
	begin := time.Now().Add(-14 * 24 * time.Hour)
	for ; from < to; from += atOnce {
		list := make([]policy.Record, min(atOnce, to-from))
		for i := range list {
			list[i] = historytest.Natural(from+i, begin.Add(time.Duration(from+i)*100*time.Millisecond))
		}
		if err := h.Append(context.Background(), list); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
	}
	for more := true; more; {
		var err error
		if more, err = h.Index(context.Background()); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
	}
}
