package edit

import "github.com/milterscan/milterscan/policy"

// clean takes out of a file what the findings are about, or the whole file where
// that cannot be done.
func (w *work) clean(c *change, s *site, edits []policy.Edit) (withdrawn bool, err error) {
	w.withdraw(c, s, edits)
	return true, nil
}
