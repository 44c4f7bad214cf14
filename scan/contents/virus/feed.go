package virus

import (
	"github.com/milterscan/milterscan/scan"
)

// The feeds of engines that may open no containers: nothing is left out because it is
// in something else.
const (
	feedParts Feed = "parts" // for FeedAuto
	feedAll   Feed = "all"   // for FeedBoth
)

// everything returns the feed for an engine that may know nothing of mail.
func (f Feed) everything() Feed {
	switch f {
	case FeedRaw:
		return FeedRaw
	case FeedBoth:
		return feedAll
	}
	return feedParts
}

// feeder chooses the contents of a message that an engine gets.
//
// In FeedAuto that is: every leaf, decoded; every archive, whole; and the
// skeleton. Two things are not sent a second time where the engine surely takes
// them out of something it gets anyway, since its time is most of what scanning
// a message costs:
//
//   - A member of a zip archive that goes whole. Only zip, only with the two
//     methods every program knows, and only if opening the message found nothing
//     to remark and the members stay below the engine's limits: then there is
//     one way to read it. Members of all other containers go both ways.
//   - A text body without a name, when it is in the skeleton of a message
//     that opening found nothing to remark about.
//
// The raw message goes as well as soon as opening found anything at all, or a
// leaf could not be opened.
type feeder struct {
	m     *scan.Message
	limit int64 // bytes an engine takes at once
	plain bool  // opening found nothing that another program might read differently
	asked []*Question
}

// questions returns the questions about m. One may have gone ahead: about the skeleton.
func questions(m *scan.Message, feed Feed, limit int64, ahead *begun) []*Question {
	f := &feeder{m: m, limit: limit, plain: unremarkable(m)}
	switch feed {
	case FeedRaw:
		f.add(scan.WholeMessage, m.Raw)
		return f.asked
	case feedParts:
		f.parts()
		return f.asked
	case feedAll:
		f.plain = false
		f.parts()
		return f.asked
	}
	if ahead != nil {
		f.asked = append(f.asked, ahead.question)
	}
	if feed == FeedBoth || !f.plain {
		f.add(scan.WholeMessage, m.Raw)
		f.leaves(nil)
		return f.asked
	}
	f.leaves(f.inSkeleton(ahead))
	return f.asked
}

// inSkeleton returns the bodies that the skeleton holds. It adds the skeleton, unless that went ahead.
func (f *feeder) inSkeleton(ahead *begun) entities {
	var s *skeleton
	if ahead != nil {
		s = ahead.skeleton
	} else {
		s = newSkeleton(f.m.Raw, f.m.Root)
		f.add(scan.WholeMessage, s)
	}
	if len(f.m.Parts) > bodyParts {
		return nil
	}
	return s.bodies
}

// unremarkable reports whether there is only one way to read the message, as far
// as opening it could tell.
func unremarkable(m *scan.Message) bool {
	for _, n := range m.Notes {
		if n.Kind != scan.Note {
			return false
		}
	}
	for _, p := range m.Parts {
		if p.Content == nil && !p.Opened {
			return false
		}
	}
	return true
}

// leaves adds every part that does not reach the engine inside something else.
// Bodies are the entities whose text the skeleton holds.
func (f *feeder) leaves(bodies entities) {
	z := newZips(f.m, f.limit)
	for i, p := range f.m.Parts {
		if p.Entity != nil && bodies[p.Entity] || f.plain && z.inside(i) {
			continue
		}
		f.add(i, p.Content)
	}
}

// parts adds every part, and the raw message where another program might read it
// differently.
func (f *feeder) parts() {
	if !f.plain {
		f.add(scan.WholeMessage, f.m.Raw)
	}
	for i, p := range f.m.Parts {
		f.add(i, p.Content)
	}
}

// add adds a content that holds anything.
func (f *feeder) add(part int, c scan.Content) {
	if c == nil || c.Size() == 0 {
		return
	}
	f.asked = append(f.asked, about(part, c))
}

// about returns the question about the content of a part.
func about(part int, c scan.Content) *Question { return &Question{Content: c, parts: []int{part}} }
