package gateway

import (
	"reflect"
	"testing"

	"github.com/openclaw/openclaw-go/protocol"
)

// TestSameStatus changes each value in a status in turn: one that sameStatus
// does not look at would be sent as it was before.
func TestSameStatus(t *testing.T) {
	base := fill(t, reflect.TypeFor[protocol.Status](), nil).Interface().(protocol.Status)
	again := fill(t, reflect.TypeFor[protocol.Status](), nil).Interface().(protocol.Status)
	if !sameStatus(&base, &again) {
		t.Fatal("two equal ones are not the same")
	}
	for _, path := range paths(reflect.TypeFor[protocol.Status](), nil) {
		other := fill(t, reflect.TypeFor[protocol.Status](), path).Interface().(protocol.Status)
		if sameStatus(&base, &other) {
			t.Errorf("a change of field %v is not seen", path)
		}
	}
}

// paths returns the index path of every value in a struct.
func paths(of reflect.Type, at []int) (all [][]int) {
	for i := range of.NumField() {
		path := append(append([]int(nil), at...), i)
		if field := of.Field(i).Type; field.Kind() == reflect.Struct {
			all = append(all, paths(field, path)...)
		} else {
			all = append(all, path)
		}
	}
	return all
}

// fill makes a struct with something in every field, and with something else
// at the path.
func fill(t *testing.T, of reflect.Type, path []int) reflect.Value {
	v := reflect.New(of).Elem()
	for _, p := range paths(of, nil) {
		set(t, v.FieldByIndex(p), reflect.DeepEqual(p, path))
	}
	return v
}

func set(t *testing.T, v reflect.Value, other bool) {
	n, s := int64(1), "a"
	if other {
		n, s = 2, "b"
	}
	switch v.Kind() {
	case reflect.Bool:
		v.SetBool(other)
	case reflect.Int, reflect.Int64:
		v.SetInt(n)
	case reflect.Float64:
		v.SetFloat(float64(n))
	case reflect.String:
		v.SetString(s)
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		set(t, v.Elem(), other)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		set(t, v.Index(0), other)
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		value := reflect.New(v.Type().Elem()).Elem()
		set(t, value, other)
		v.SetMapIndex(reflect.ValueOf("key"), value)
	case reflect.Struct:
		for i := range v.NumField() {
			set(t, v.Field(i), other)
		}
	default:
		t.Fatalf("a status has a field of kind %s: teach this test and sameStatus about it", v.Kind())
	}
}
