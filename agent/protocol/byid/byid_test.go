package byid

import (
	"slices"
	"testing"
)

func TestPending(t *testing.T) {
	var p Pending[int32]
	for i := range int32(maxPending) {
		if old := p.Add(i%1000, uint64(i)+1, uint32(i)); old != 0 {
			t.Fatalf("Add forgot %d while there was room", old)
		}
	}
	if old := p.Add(-1, 5000, 0); old != 1 || p.Len() != maxPending {
		t.Errorf("Add to a full list forgot %d of %d, want the oldest", old, p.Len())
	}
	if id, note, ok := p.Take(7); !ok || id != 8 || note != 7 {
		t.Errorf("Take(7) = %d, %d, %v, want the older of two", id, note, ok)
	}
	if id, _, _ := p.Take(7); id != 1008 {
		t.Errorf("Take(7) = %d, want the younger", id)
	}
	if _, _, ok := p.Take(7); ok || p.Has(7) || !p.Has(8) {
		t.Error("Take found a third")
	}
}

func TestPendingOvertake(t *testing.T) {
	var p Pending[int32]
	for i := range int32(40) {
		p.Add(i, uint64(i)+1, 0)
	}
	var got []uint64
	p.Overtake(30, func(id uint64, _ uint32) uint32 { got = append(got, id); return 9 })
	if len(got) != 30 || got[0] != 1 || got[29] != 30 {
		t.Errorf("Overtake gave up %v, want 1 to 30", got)
	}
	if p.Len() != 40-30+maxOvertaken {
		t.Errorf("%d are left, want %d", p.Len(), 40-30+maxOvertaken)
	}
	if id, note, ok := p.Take(20); !ok || id != 0 || note != 9 {
		t.Errorf("Take(20) = %d, %d, %v, want one without id, with its note", id, note, ok)
	}
	got = nil
	p.Forget(func(id uint64) { got = append(got, id) })
	if want := []uint64{31, 32, 33, 34, 35, 36, 37, 38, 39, 40}; !slices.Equal(got, want) {
		t.Errorf("Forget gave up %v, want %v", got, want)
	}
	p.Clear()
	if p.Len() != 0 {
		t.Errorf("%d are left after Clear", p.Len())
	}
}
