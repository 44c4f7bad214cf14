package people

import (
	"math"
	"testing"
)

func TestBounds(t *testing.T) {
	for b, good := range map[Bounds]bool{
		{}: true, {4, 12}: true, {4, 4}: true, {12, 4}: false, {0, 12}: false, {4, 0}: false, {-1, 5}: false, {1, -5}: false,
		{math.NaN(), 4}: false, {4, math.Inf(1)}: false,
	} {
		if err := b.Check(); (err == nil) != good {
			t.Errorf("%+v: %v", b, err)
		}
	}
}
