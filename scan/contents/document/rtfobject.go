package document

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"strings"
)

// equationClass is the class identifier of the old equation editor, as it is
// stored: {0002CE02-0000-0000-C000-000000000046}.
const equationClass = "\x02\xce\x02\x00\x00\x00\x00\x00\xc0\x00\x00\x00\x00\x00\x00\x46"

// objectData judges the data of an object, in both ways its digits may be read.
func (r *rtfReader) objectData() {
	o := r.object
	r.object = rtfObjectData{}
	const tolerated = 2 // the group \*\objdata itself may close late
	if o.junk > tolerated && len(o.all) > 0 {
		r.report.add(ruleRTFObject, "an object whose data is cut up by control words")
	}
	readings := [][]byte{o.all}
	if !bytes.Equal(o.outer, o.all) {
		readings = append(readings, o.outer)
	}
	for _, digits := range readings {
		for shift := range min(2, len(digits)) { // a digit too many moves all that follow
			r.objectBytes(unhex(digits[shift:]))
		}
	}
}

// unhex returns the data in an even number of digits.
func unhex(digits []byte) []byte {
	out := make([]byte, len(digits)/2)
	n, _ := hex.Decode(out, digits[:len(digits)&^1]) // nothing but digits was kept
	return out[:n]
}

// objectBytes judges an object (MS-OLEDS, section 2.2): its class, its native
// data, and where it is linked to.
func (r *rtfReader) objectBytes(b []byte) {
	class, native := oleObject(b)
	lower := strings.ToLower(class)
	r.monikers(b)
	switch {
	case strings.HasPrefix(lower, "equation."), bytes.Contains(b, []byte(equationClass)):
		r.report.add(ruleRTFObject, "an object of the old equation editor")
		if overruns(native) {
			r.report.add(ruleEquation, "a font name of more than 40 bytes")
		}
	case lower == "package":
		if p, ok := parsePackage(native); ok {
			r.packaged(p)
		}
	case class != "":
		r.report.add(ruleEmbedded, "an object of the class "+quote(class))
	}
	if i := bytes.Index(b, []byte(compoundMark)); i >= 0 && r.spend(len(b)-i) {
		r.failure = errors.Join(r.failure, r.nested(b[i:]))
	}
}

// oleObject reads the header of an object: a version, whether it is linked or
// embedded, three strings after their lengths, and the native data after its
// length.
func oleObject(b []byte) (class string, native []byte) {
	const linked, embedded, longestClass = 1, 2, 256
	if len(b) < 12 {
		return "", nil
	}
	if kind := binary.LittleEndian.Uint32(b[4:]); kind != linked && kind != embedded {
		return "", nil
	}
	b = b[8:]
	for i := range 3 {
		if len(b) < 4 {
			return class, nil
		}
		n := int64(binary.LittleEndian.Uint32(b))
		if n > int64(len(b)-4) || i == 0 && n > longestClass {
			return class, nil
		}
		if i == 0 {
			class = cString(string(b[4 : 4+n]))
		}
		b = b[4+n:]
	}
	if len(b) < 4 {
		return class, nil
	}
	return class, b[4:]
}
