package console

import "errors"

// trouble is an error as a page shows it.
type trouble struct{ Title, Text string }

func (t trouble) title(*pages) string { return t.Title }

// troubleOf returns the texts of an error: what part it is about, and what a reader can
// do. What the error says itself is for the log, except where it is about an act.
func troubleOf(v *pages, err error) trouble {
	var p *Problem
	var part *PartError
	switch {
	case errors.As(err, &p):
		return trouble{v.texts.Of(p.Key), v.texts.Of(p.Key + "-text")}
	case StatusOf(err) == ErrLarge.Status:
		return trouble{v.texts.Of(ErrLarge.Key), v.texts.Of(ErrLarge.Key + "-text")}
	case errors.As(err, &part) && part.Hangs():
		return trouble{v.texts.Of("part-hangs", v.texts.Of("part-"+string(part.Part))), v.texts.Of("part-hangs-text")}
	case errors.As(err, &part):
		return trouble{v.texts.Of("part-fails", v.texts.Of("part-"+string(part.Part))), v.texts.Of("part-fails-text")}
	}
	return trouble{v.texts.Of(ErrFault.Key), v.texts.Of(ErrFault.Key + "-text")}
}
