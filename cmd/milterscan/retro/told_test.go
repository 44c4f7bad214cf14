package retro

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/milterscan/milterscan/policy"
)

// foundAt is a message with something that is listed.
func foundAt(n int, known bool) Found {
	return Found{policy.Record{ID: fmt.Sprint("id", n), Time: time.Unix(int64(n), 0), Action: "deliver", Recipients: []policy.RecordRecipient{{Recipient: "b@example.com"}}},
		[]Hit{{List: "l", Value: "v", Known: known}}}
}

// TestTold tells each message once, also after a restart, and forgets what is too old or too much.
func TestTold(t *testing.T) {
	history := filepath.Join(t.TempDir(), "history.db")
	told, err := OpenTold(history)
	if err != nil {
		t.Fatal(err)
	}
	all := []Found{foundAt(1, false), foundAt(2, true), foundAt(3, false)}
	fresh := told.Fresh(all)
	if len(fresh) != 2 || fresh[1].Record.ID != "id3" {
		t.Fatalf("%v", fresh)
	}
	if err := told.Mark(fresh, time.Unix(0, 0)); err != nil {
		t.Fatal(err)
	}
	if told, err = OpenTold(history); err != nil || len(told.Fresh(all)) != 0 {
		t.Errorf("told again after a restart: %v, %v", told.Fresh(all), err)
	}
	other := foundAt(3, false)
	other.Hits = append(other.Hits, Hit{List: "l", Value: "w"})
	if fresh := told.Fresh([]Found{other}); len(fresh) != 1 || len(fresh[0].Hits) != 1 || fresh[0].Hits[0].Value != "w" {
		t.Errorf("something else of a message that was told: %v", fresh)
	}
	if err := told.Mark(nil, time.Unix(2, 0)); err != nil || len(told.Fresh(all)) != 1 {
		t.Errorf("what is too old is kept: %v, %v", told.at, err)
	}
	for n := range mostTold + 5 {
		told.at[fmt.Sprint(n)] = int64(n + 10)
	}
	if told.Mark(nil, time.Unix(0, 0)); len(told.at) > mostTold {
		t.Errorf("%d are remembered", len(told.at))
	}
	if err := os.WriteFile(history+".retro", []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if told, err := OpenTold(history); err == nil || len(told.Fresh(all)) != 2 {
		t.Errorf("a damaged file: %v", err)
	}
}
