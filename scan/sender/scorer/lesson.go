package scorer

import "errors"

// Lesson is what a scorer is taught that a message is.
type Lesson string

// The lessons.
const (
	Spam Lesson = "spam"
	Ham  Lesson = "ham"
)

// ErrNotLearned says that a scorer answers, and does not learn from the message.
var ErrNotLearned = errors.New("it does not learn from this message")
