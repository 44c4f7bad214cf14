package daemon

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/milterscan/milterscan/cmd/milterscan/show"
	"github.com/milterscan/milterscan/policy"
)

// newEncoder returns the encoder of lines in a format: "json" or "console".
func newEncoder(format string) (zapcore.Encoder, error) {
	e := zap.NewProductionEncoderConfig()
	e.TimeKey = "time"
	e.EncodeTime = func(t time.Time, out zapcore.PrimitiveArrayEncoder) {
		out.AppendString(t.UTC().Truncate(time.Millisecond).Format(time.RFC3339Nano))
	}
	e.EncodeDuration = zapcore.MillisDurationEncoder
	switch format {
	case "json":
		return zapcore.NewJSONEncoder(e), nil
	case "console":
		e.ConsoleSeparator = "  "
		return zapcore.NewConsoleEncoder(e), nil
	}
	return nil, fmt.Errorf("log.format: %q; write \"json\" or \"console\"", format)
}

// lostLine returns the line that says how many are missing before it.
func lostLine(e zapcore.Encoder, n int) []byte {
	var line bytes.Buffer
	log := zap.New(zapcore.NewCore(e, zapcore.AddSync(&line), zapcore.WarnLevel))
	log.Warn("lines of the log are lost: it was not read, or could not be written", zap.Int("lost", n))
	return line.Bytes()
}

// visible writes lines with everything escaped that could trick a terminal or a
// reader of the log, wherever it came from.
type visible struct{ zapcore.WriteSyncer }

func (v visible) Write(line []byte) (int, error) {
	if _, err := v.WriteSyncer.Write(policy.VisibleLine(line)); err != nil {
		return 0, err
	}
	return len(line), nil
}

// tell writes the one line of a message, or of a stage that refused.
func (d *Daemon) tell(r policy.Record) { logRecord(d.log, d.first.Log.Format, r) }

// logRecord writes a record: for people in their words, else with its own keys. The
// time of the line is that of the record.
func logRecord(log *zap.Logger, format string, r policy.Record) {
	if format != "json" {
		log.Info(show.Line(r))
		return
	}
	log = log.WithOptions(zap.WithClock(stopped(r.Time)))
	log.Info("message", fields(r.Line())...)
}

// stopped is a clock that always shows the same time.
type stopped time.Time

func (s stopped) Now() time.Time                       { return time.Time(s) }
func (stopped) NewTicker(d time.Duration) *time.Ticker { return time.NewTicker(d) }

// fields returns the fields of a JSON object, in their order, without the time.
func fields(object []byte) []zap.Field {
	var list []zap.Field
	in := json.NewDecoder(bytes.NewReader(object))
	in.Token() // the brace
	for in.More() {
		key, err := in.Token()
		var value json.RawMessage
		if err != nil || in.Decode(&value) != nil {
			break
		}
		if name, _ := key.(string); name != "time" {
			list = append(list, zap.Reflect(name, value))
		}
	}
	return list
}
