package pace

import (
	"fmt"
	"testing"
	"time"
)

func TestDaily(t *testing.T) {
	now, seed := time.Now(), NewSeed()
	c, l, key := Counts{}, Daily(4), seed.Key("a")
	for i := range 4 {
		if c.Full(key, l, now) {
			t.Fatalf("full after %d", i)
		}
		c.Add(key, l, now, 1)
	}
	if !c.Full(key, l, now) || c.Full(seed.Key("b"), l, now) || !c.Full(key, l, now.Add(6*time.Hour-time.Second)) || c.Full(key, l, now.Add(6*time.Hour)) {
		t.Error("it is not four in a day")
	}
	c.Add(key, l, now, -1)
	if c.Full(key, l, now) {
		t.Error("what is taken back counts")
	}
	c.Add(key, l, now, -9)
	if len(c) != 0 {
		t.Error("nothing is remembered as something")
	}
}

// TestBounds: many keys cost no more memory, and push out no key that counts more.
func TestBounds(t *testing.T) {
	now, seed := time.Now(), NewSeed()
	c, l := Counts{}, Daily(10)
	busy := seed.Key("busy")
	c.Add(busy, l, now, 5)
	for i := range 3 * MostKept {
		c.Add(seed.Key(fmt.Sprint(i)), l, now, 1)
	}
	if len(c) > MostKept || c.At(busy, l, now) != 5 {
		t.Errorf("%d keys, %v", len(c), c.At(busy, l, now))
	}
}
