package show

import (
	"encoding/json"
	"reflect"
	"time"
)

// inUTC returns a copy of a value in which all times are in UTC, as programs want them. What writes its own
// JSON is left as it is.
func inUTC(v any) any {
	if v == nil {
		return nil
	}
	all := reflect.New(reflect.TypeOf(v)).Elem()
	all.Set(reflect.ValueOf(v))
	toUTC(all)
	return all.Interface()
}

var (
	momentType = reflect.TypeFor[time.Time]()
	ownJSON    = reflect.TypeFor[json.Marshaler]()
)

// toUTC changes the times in a value, which may be set or is a structure whose fields may. What it refers to
// may be in use elsewhere, and is copied.
func toUTC(v reflect.Value) {
	switch {
	case v.Type() == momentType:
		if v.CanSet() {
			v.Set(reflect.ValueOf(v.Interface().(time.Time).UTC()))
		}
	case v.Type().Implements(ownJSON) && v.Type() != reflect.PointerTo(momentType):
	case v.Kind() == reflect.Struct:
		for i := range v.NumField() {
			if f := v.Type().Field(i); f.IsExported() || f.Anonymous && f.Type.Kind() == reflect.Struct {
				toUTC(v.Field(i))
			}
		}
	case !v.CanSet():
	case v.Kind() == reflect.Array:
		for i := range v.Len() {
			toUTC(v.Index(i))
		}
	case v.Kind() == reflect.Slice && !v.IsNil() && v.Type().Elem().Kind() != reflect.Uint8:
		list := reflect.MakeSlice(v.Type(), v.Len(), v.Len())
		reflect.Copy(list, v)
		for i := range list.Len() {
			toUTC(list.Index(i))
		}
		v.Set(list)
	case v.Kind() == reflect.Map && !v.IsNil():
		all := reflect.MakeMapWithSize(v.Type(), v.Len())
		for each := v.MapRange(); each.Next(); {
			all.SetMapIndex(each.Key(), changed(each.Value()))
		}
		v.Set(all)
	case (v.Kind() == reflect.Pointer || v.Kind() == reflect.Interface) && !v.IsNil():
		one := changed(v.Elem())
		if v.Kind() == reflect.Pointer {
			one = one.Addr()
		}
		v.Set(one)
	}
}

// changed returns a copy of a value with its times in UTC, which has an address.
func changed(v reflect.Value) reflect.Value {
	one := reflect.New(v.Type()).Elem()
	one.Set(v)
	toUTC(one)
	return one
}
