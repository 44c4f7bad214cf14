package doctor

import (
	"context"

	"github.com/milterscan/milterscan/scan/sender/geo"
)

// places examines the databases that say where clients are.
func (p *Installation) places(context.Context) (found []Finding) {
	d, err := geo.Open(p.Config.Geo, func(error) {})
	if err != nil {
		return []Finding{fault("put a database there that the daemon's user may read, or leave the key out", "%v", err)}
	}
	for _, h := range d.Health() {
		made := h.Built.UTC().Format("2006-01-02")
		if h.Old {
			found = append(found, advice("renew it: networks move from one country to another",
				"%s (%s) was made on %s", h.File, h.Type, made))
			continue
		}
		found = append(found, ok("%s (%s) was made on %s", h.File, h.Type, made))
	}
	return found
}
