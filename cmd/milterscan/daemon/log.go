package daemon

import (
	"bytes"
	"fmt"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/milterscan/milterscan/cmd/milterscan/show"
	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/policy/config"
	"github.com/milterscan/milterscan/policy/judge"
	"github.com/milterscan/milterscan/scan"
)

// newLog opens the log. The sink under it is to be closed last.
func newLog(c config.Log) (*zap.Logger, *sink, error) {
	level, err := zap.ParseAtomicLevel(c.Level)
	if err != nil {
		return nil, nil, err
	}
	encoder, err := newEncoder(c.Format)
	if err != nil {
		return nil, nil, err
	}
	out, _, err := zap.Open(c.Output)
	if err != nil {
		return nil, nil, err
	}
	s := newSink(out, func(n int) []byte { return lostLine(encoder, n) })
	return zap.New(zapcore.NewCore(encoder, s, level)), s, nil
}

// newEncoder returns what makes lines of a format: "json" or "console".
func newEncoder(format string) (zapcore.Encoder, error) {
	e := zap.NewProductionEncoderConfig()
	e.TimeKey = "time"
	e.EncodeTime = zapcore.RFC3339NanoTimeEncoder
	e.EncodeDuration = zapcore.MillisDurationEncoder
	switch format {
	case "json":
		return zapcore.NewJSONEncoder(e), nil
	case "console":
		return zapcore.NewConsoleEncoder(e), nil
	}
	return nil, fmt.Errorf("log.format: %q; write \"json\" or \"console\"", format)
}

// lostLine is the line that says how many are missing before it.
func lostLine(e zapcore.Encoder, n int) []byte {
	var line bytes.Buffer
	log := zap.New(zapcore.NewCore(e, zapcore.AddSync(&line), zapcore.WarnLevel))
	log.Warn("lines of the log are lost: it was not read, or could not be written", zap.Int("lost", n))
	return line.Bytes()
}

// tell writes the one line of a message, or of a stage that refused.
func (d *Daemon) tell(r *judge.Result) {
	env := r.Envelope
	fields := []zap.Field{
		zap.String("id", r.ID),
		zap.Uint64("generation", r.Generation),
		zap.String("stage", r.Stage.String()),
		zap.String("queue_id", env.QueueID),
		zap.String("client", clientText(env)),
		zap.String("helo", env.Helo),
		zap.String("user", env.AuthUser),
		zap.String("sender", env.Sender),
		zap.Strings("recipients", env.Recipients),
		zap.Int64("size", r.Size),
		zap.String("answer", r.Decision.Action()),
		zap.Strings("changes", r.Decision.Changes()),
		zap.String("reply", r.Decision.Reply.String()),
		zap.String("rule", decidingRule(r.Decision)),
		zap.Bool("complete", r.Complete()),
		zap.Array("findings", findings{r}),
		zap.Duration("took", r.Took),
		zap.Object("scanners", times(r.Reports)),
	}
	d.log.Info("message", fields...)
}

func clientText(env scan.Envelope) string {
	if !env.Client.IsValid() {
		return ""
	}
	return env.Client.Addr().String()
}

// decidingRule is the rule behind the answer: that of the first recipient who
// got it.
func decidingRule(d policy.Decision) string {
	for _, v := range d.Verdicts {
		if v.Outcome.Answer == d.Answer && v.Rule.Name != "" {
			return v.Rule.String()
		}
	}
	return ""
}

// findings writes findings as an array of objects.
type findings struct{ *judge.Result }

// MarshalLogArray makes findings a zapcore.ArrayMarshaler.
func (f findings) MarshalLogArray(out zapcore.ArrayEncoder) error {
	for _, one := range f.Found {
		out.AppendObject(zapcore.ObjectMarshalerFunc(func(o zapcore.ObjectEncoder) error {
			r := show.NewFinding(f.Result, one)
			o.AddString("kind", r.Kind)
			o.AddString("rule", r.Rule)
			o.AddString("part", r.Part)
			o.AddString("detail", r.Detail)
			if r.Score != 0 {
				o.AddFloat64("score", r.Score)
			}
			return nil
		}))
	}
	return nil
}

// times writes the time each scanner took, in milliseconds.
type times []scan.Report

// MarshalLogObject makes times a zapcore.ObjectMarshaler.
func (t times) MarshalLogObject(o zapcore.ObjectEncoder) error {
	for _, r := range t {
		o.AddFloat64(r.Scanner, float64(r.Took)/float64(time.Millisecond))
	}
	return nil
}
