package console

import (
	"net/http"

	"github.com/milterscan/milterscan/cmd/milterscan/console/login"
)

// overview shows what happened lately, and what needs a person.
func (c *Console) overview(w http.ResponseWriter, r *http.Request, p login.Person) error {
	return c.view(r, p, "overview").write(w, http.StatusOK)
}
