package entity

// Limits bound what the structure of one message may cost, with all messages
// inside it that are parsed with Tree.Inner. Reaching one is a
// Deviation of class Exceeded with the code named here. A limit of 0 means the
// default.
type Limits struct {
	Parts         int   // entities in all, in every reading (parts-limit)
	Depth         int   // composites inside composites (depth-limit)
	HeaderBytes   int   // one header block; the rest of the block is passed over (header-limit)
	HeaderTotal   int   // all header blocks of a message in every reading (header-limit)
	FieldBytes    int   // the value of one field; it is cut (field-limit)
	Fields        int   // fields of one block (fields-limit)
	Params        int   // parameters of one field, in every reading (parameters-limit)
	Names         int   // file names of one entity (names-limit)
	BoundaryBytes int   // a longer boundary is cut and matched by its beginning (boundary-limit)
	Boundaries    int   // boundaries tried for one multipart (boundaries-limit)
	Readings      int   // other readings of one entity (readings-limit)
	Carved        int   // carved entities in all, without files (carved-limit)
	Wrapped       int   // files in all that are carved out of texts (wrapped-limit)
	Notes         int   // deviations kept for one entity; further ones are dropped, those before them say enough
	RereadBytes   int64 // bytes read again for other readings and carving, what takes long counted higher (reread-limit)
}

// DefaultLimits returns limits far above the needs of real mail, which keep the
// worst message below a second and some 30 MB.
func DefaultLimits() Limits {
	return Limits{
		Parts:         2000,
		Depth:         64,
		HeaderBytes:   512 << 10,
		HeaderTotal:   4 << 20,
		FieldBytes:    128 << 10,
		Fields:        2000,
		Params:        200,
		Names:         64,
		BoundaryBytes: 1000,
		Boundaries:    16,
		Readings:      24,
		Carved:        200,
		Wrapped:       2000,
		Notes:         50,
		RereadBytes:   384 << 20,
	}
}

// filled puts the default where a limit is 0.
func (l Limits) filled() Limits {
	d := DefaultLimits()
	for _, p := range []struct{ set, or *int }{
		{&l.Parts, &d.Parts}, {&l.Depth, &d.Depth},
		{&l.HeaderBytes, &d.HeaderBytes}, {&l.HeaderTotal, &d.HeaderTotal},
		{&l.FieldBytes, &d.FieldBytes}, {&l.Fields, &d.Fields},
		{&l.Params, &d.Params}, {&l.Names, &d.Names},
		{&l.BoundaryBytes, &d.BoundaryBytes}, {&l.Boundaries, &d.Boundaries},
		{&l.Readings, &d.Readings}, {&l.Carved, &d.Carved}, {&l.Wrapped, &d.Wrapped}, {&l.Notes, &d.Notes},
	} {
		if *p.set <= 0 {
			*p.set = *p.or
		}
	}
	if l.RereadBytes <= 0 {
		l.RereadBytes = d.RereadBytes
	}
	return l
}

// account is what all readings of one message, and of the messages inside it,
// have used together.
type account struct {
	limits Limits
	parts  int
	header int // bytes of header blocks kept
	carved int // without files
	files  int // carved
	reread int64
	said   map[string]bool // limits that were reported
}

// books are kept for one tree.
type books struct {
	*account
	dubious bool    // something calls for another look
	root    *Entity // where limits are reported, once the first reading is done
}

func newBooks(l Limits) *books { return &books{account: &account{limits: l.filled()}} }

// inner returns the books for what was decoded from a leaf.
func (k *books) inner() *books { return &books{account: k.account} }

// note enters a deviation of the class its code has. Limits are entered once
// for the message.
func (k *books) note(e *Entity, code string, at Span, detail string) {
	class := classOf(code)
	if class == Exceeded {
		if k.said[code] {
			return
		}
		if k.said == nil {
			k.said = map[string]bool{}
		}
		k.said[code] = true
		if k.root != nil {
			e = k.root
		}
	}
	k.noteAs(e, class, code, at, detail)
}

// noteAs enters a deviation that is milder here than its code can be. A code
// is entered once for an entity: a thousand bad lines say no more than one.
func (k *books) noteAs(e *Entity, class Class, code string, at Span, detail string) {
	if class == Ambiguous {
		k.dubious = true
	}
	for i := range e.Notes {
		if e.Notes[i].Code == code {
			e.Notes[i].Class = max(e.Notes[i].Class, class)
			return
		}
	}
	if len(e.Notes) >= k.limits.Notes && class != Exceeded {
		return
	}
	e.Notes = append(e.Notes, Deviation{Code: code, Class: class, Detail: cut(detail, 120), Span: at})
}

// cut shortens text that is quoted in a detail.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return s[:n] + "…"
}
