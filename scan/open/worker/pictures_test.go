//go:build linux

package worker

import (
	"bytes"
	"context"
	"errors"
	"image"
	"image/png"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/format/picture"
)

// rings returns a picture full of what looks like the marks of codes.
func rings(side, module int) []byte {
	img := image.NewGray(image.Rect(0, 0, side, side))
	for i := range img.Pix {
		dx, dy := i%side%(8*module)/module-3, i/side%(8*module)/module-3
		if d := max(dx, -dx, dy, -dy); d == 2 || d > 3 {
			img.Pix[i] = 255
		}
	}
	var b bytes.Buffer
	png.Encode(&b, img)
	return b.Bytes()
}

// Children look at pictures; what they had no time for is said, and costs no more.
func TestCodes(t *testing.T) {
	if raceDetector {
		t.Skip("the child takes more processor time than its counted work may: make unit runs it without the detector")
	}
	pool := newTestPool(t, testConfig(t, "proper"))
	white := image.NewGray(image.Rect(0, 0, 100, 100))
	for i := range white.Pix {
		white.Pix[i] = 255
	}
	var clean bytes.Buffer
	png.Encode(&clean, white)
	s := new(picture.Set)
	s.Add(picture.Image, bytes.NewReader(clean.Bytes()))
	for range 200 {
		s.Add(picture.Image, bytes.NewReader(rings(280, 2)))
	}
	begun := time.Now()
	found, err := pool.Codes(t.Context(), s.Seal(), 300*time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	said := slices.ContainsFunc(found, func(f picture.Found) bool { return f.Item > 0 && f.What == picture.Over })
	if !said || slices.ContainsFunc(found, func(f picture.Found) bool { return f.Item == 0 }) {
		t.Errorf("after %v: %v", time.Since(begun), found)
	}
}

// A child that dies of a picture has looked at none; without a child, nothing is known.
func TestCodesWithoutChild(t *testing.T) {
	s := new(picture.Set)
	s.Add(picture.Image, bytes.NewReader(rings(280, 2)))
	s.Add(picture.Image, bytes.NewReader(rings(280, 2)))
	found, err := newTestPool(t, testConfig(t, "dies")).Codes(t.Context(), s.Seal(), time.Second)
	if err != nil || len(found) != 2 || found[0].What != picture.Over {
		t.Errorf("a child that dies: %v, error %v", found, err)
	}
	if found, err := newTestPool(t, testConfig(t, "dead")).Codes(t.Context(), s, time.Second); !errors.Is(err, scan.ErrHost) {
		t.Errorf("no child: %v, error %v", found, err)
	}
}

// TestCodesWait looks at many messages at once with no more children than there are places.
func TestCodesWait(t *testing.T) {
	pool := newTestPool(t, testConfig(t, "proper"))
	places := cap(pool.pictures)
	var messages sync.WaitGroup
	for range 4 * places {
		messages.Go(func() {
			s := new(picture.Set)
			s.Add(picture.Image, bytes.NewReader(rings(100, 2)))
			if _, err := pool.Codes(t.Context(), s.Seal(), time.Second); err != nil {
				t.Error(err)
			}
		})
	}
	messages.Wait()
	if got := pool.Counts(); got.Busy != 0 || places <= mostSpare && got.Started > int64(places) {
		t.Errorf("%d places, %+v", places, got)
	}
}

// TestCodesGiveUp: a message whose time is over waits no longer.
func TestCodesGiveUp(t *testing.T) {
	pool := newTestPool(t, testConfig(t, "proper"))
	for range cap(pool.pictures) {
		pool.pictures <- struct{}{}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	s := new(picture.Set)
	s.Add(picture.Image, bytes.NewReader(rings(100, 2)))
	if found, err := pool.Codes(ctx, s.Seal(), time.Second); !errors.Is(err, context.Canceled) || len(found) > 0 {
		t.Errorf("%v, error %v", found, err)
	}
}
