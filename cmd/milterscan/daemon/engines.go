package daemon

import (
	"context"
	"time"

	"go.uber.org/zap"

	"github.com/milterscan/milterscan/scan/contents/virus"
)

// engineTime is how long the engines may take to say how they are.
const engineTime = 10 * time.Second

// greetEngines says in the log which engines are there, and which are not: mail
// waits for those that are missing.
func (d *Daemon) greetEngines(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, engineTime)
	defer cancel()
	for _, c := range d.first.Virus {
		if !c.Asks() {
			continue
		}
		e, err := virus.Open(c)
		if err != nil {
			continue // which kept the daemon from starting
		}
		all, err := e.Health(ctx)
		for _, h := range all {
			d.log.Info("engine", zap.String("name", e.Name()), zap.String("address", h.Address), zap.String("version", h.Version))
		}
		if err != nil {
			d.log.Warn("an engine does not answer; \"milterscan doctor\" tells more", zap.String("name", e.Name()), zap.Error(err))
		}
	}
}
