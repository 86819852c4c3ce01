// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.driver.pci;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * A function whose registers hold what was last written, and that remembers who came by. Accesses to configuration
 * space are logged as {@code R2 10}, those to BARs with the BAR in front: {@code R2 4:10}. Numbers of registers and
 * capabilities are those of the PCI and virtio specifications, written down here a second time.
 */
class FakePci {

    final byte[] config = new byte[256];
    final List<String> log = new ArrayList<>();

    /** What each BAR register takes of what is written to it. */
    final long[] writable = new long[6];

    /** Registers in BARs, by {@code bar:offset}. */
    final Map<String, Long> registers = new HashMap<>();

    private int lastLink = 0x34;
    private int free = 0x40;

    FakePci(int device) {
        put(0x00, 2, 0x1af4);
        put(0x02, 2, device);
        put(0x06, 2, 0x10);
    }

    /** A function with every structure: 32-bit BAR 0 for MSI-X, 64-bit BAR 2 for virtio, in an order of its own. */
    static FakePci complete() {
        FakePci fake = new FakePci(0x1040 + 23);
        fake.bar(0, 0x1000, 0x0);
        fake.bar(2, 0x8000, 0xc);
        fake.capability(0x10, 2, 0, 0, 0x80, 0, 0x10, 0, 0, 0, 0);
        fake.virtio(4, 2, 0x4000, 0x100);
        fake.virtio(3, 2, 0x3001, 1);
        fake.notifications(2, 0x2000, 0x1000, 4);
        fake.msix(3, 0x200, 0x400);
        fake.virtio(1, 2, 0x1000, 0x40);
        fake.set(2, 0x1018, 64);
        return fake;
    }

    /** BAR registers with type bits as they read; a 64-bit one takes two. */
    void bar(int bar, long size, int type) {
        put(0x10 + 4 * bar, 4, type);
        writable[bar] = -size & 0xffff_fff0L;
        if ((type & 7) == 4) {
            writable[bar + 1] = -size >>> 32;
        }
    }

    /** Appends a capability; returns where it is. */
    int capability(int id, int... body) {
        int place = free;
        put(lastLink, 1, place);
        put(place, 1, id);
        for (int i = 0; i < body.length; i++) {
            put(place + 2 + i, 1, body[i]);
        }
        lastLink = place + 1;
        free += (body.length + 5) & ~3;
        return place;
    }

    int virtio(int type, int bar, long offset, long length) {
        int place = capability(9, new int[14]);
        put(place + 2, 1, 16);
        fill(place, type, bar, offset, length);
        return place;
    }

    int notifications(int bar, long offset, long length, long multiplier) {
        int place = capability(9, new int[18]);
        put(place + 2, 1, 20);
        fill(place, 2, bar, offset, length);
        put(place + 16, 4, multiplier);
        return place;
    }

    /** MSI-X in BAR 0. */
    int msix(int vectors, long table, long pending) {
        int place = capability(0x11, new int[10]);
        put(place + 2, 2, vectors - 1);
        put(place + 4, 4, table);
        put(place + 8, 4, pending);
        return place;
    }

    void put(int place, int width, long value) {
        for (int i = 0; i < width; i++) {
            config[place + i] = (byte) (value >>> (8 * i));
        }
    }

    long get(int place, int width) {
        long value = 0;
        for (int i = 0; i < width && place + i < config.length; i++) {
            value |= (config[place + i] & 0xffL) << (8 * i);
        }
        return value;
    }

    void set(int bar, long offset, long value) {
        registers.put(bar + ":" + Long.toHexString(offset), value);
    }

    /** Where a BAR lies, or -1 while the function does not decode. */
    long address(int bar) {
        if ((get(4, 2) & 2) == 0) {
            return -1;
        }
        long low = get(0x10 + 4 * bar, 4) & 0xffff_fff0L;
        return (get(0x10 + 4 * bar, 4) & 7) == 4 ? low | get(0x14 + 4 * bar, 4) << 32 : low;
    }

    long readConfig(long offset, int width) {
        log.add("R" + width + " " + Long.toHexString(offset));
        return get((int) offset, width);
    }

    void writeConfig(long offset, int width, long value) {
        log.add("W" + width + " " + Long.toHexString(offset) + " " + Long.toHexString(value));
        int bar = (int) (offset - 0x10) / 4;
        boolean isBar = offset >= 0x10 && offset < 0x28;
        long kept = isBar ? get((int) offset, 4) & ~writable[bar] : 0;
        put((int) offset, width, isBar ? (value & writable[bar]) | kept : value);
    }

    long readBar(int bar, long offset, int width) {
        String place = bar + ":" + Long.toHexString(offset);
        log.add("R" + width + " " + place);
        return registers.getOrDefault(place, 0L);
    }

    void writeBar(int bar, long offset, int width, long value) {
        String place = bar + ":" + Long.toHexString(offset);
        log.add("W" + width + " " + place + " " + Long.toHexString(value));
        registers.put(place, value);
    }

    private void fill(int place, int type, int bar, long offset, long length) {
        put(place + 3, 1, type);
        put(place + 4, 1, bar);
        put(place + 8, 4, offset);
        put(place + 12, 4, length);
    }
}
