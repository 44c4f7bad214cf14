package virus_test

import (
	"bytes"
	"context"
	"fmt"
	"io"

	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/contents/virus"
)

// Word is an engine of its own type: whatever holds a word is infected. This, the
// two methods of a Server, is all that a new type of engine needs; the time limit,
// the choice of what is asked, windows over what is too large, backups and findings
// come with the Engine.
type Word string

func (w Word) String() string { return "the word " + string(w) }

func (w Word) Ask(ctx context.Context, c scan.Content) (string, error) {
	text, err := io.ReadAll(scan.Reader(c))
	if err != nil || !bytes.Contains(text, []byte(w)) {
		return "", err
	}
	return "Word." + string(w), ctx.Err()
}

// A new type of engine is one file with a Server in it. An entry in the table of
// kinds makes it known to the configuration.
func ExampleNewEngine() {
	engine := virus.NewEngine(virus.Config{Name: "words"}, Word("pest"))

	m := &scan.Message{Raw: bytes.NewReader(nil), Parts: []scan.Part{
		{Parent: -1, Path: "1", Content: bytes.NewReader([]byte("nothing to see"))},
		{Parent: -1, Path: "2", Content: bytes.NewReader([]byte("the pest is in here"))},
	}}
	found, err := engine.Scan(context.Background(), m)
	for _, f := range found {
		fmt.Println(f.Kind, f.Rule, "in part", m.PathOf(f))
	}
	fmt.Println(err)
	// Output:
	// infected virus/Word.pest in part 2
	// <nil>
}
