package record

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestARecordingHasNoManagedFields(t *testing.T) {
	object, err := slim(json.RawMessage(`{"metadata": {"name": "p", "managedFields": [{"manager": "x"}]}, "spec": {"nodeName": "n"}}`))
	if err != nil || strings.Contains(string(object), "managedFields") {
		t.Fatalf("%s, %v", object, err)
	}
	for _, kept := range []string{`"name":"p"`, `"nodeName":"n"`} {
		if !strings.Contains(strings.ReplaceAll(string(object), " ", ""), kept) {
			t.Errorf("%s is missing in %s", kept, object)
		}
	}
	if _, err := slim(json.RawMessage(`{"metadata": 7}`)); err == nil {
		t.Error("an object without metadata was taken")
	}
}
