// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.trace;

import java.util.Arrays;

/** Puts events into bytes, one version 2 line each. Its array grows to the longest run it ever held. */
final class LineEncoder {
    private byte[] bytes;
    private int length;

    LineEncoder(int capacity) {
        bytes = new byte[capacity];
    }

    byte[] bytes() {
        return bytes;
    }

    int length() {
        return length;
    }

    void clear() {
        length = 0;
    }

    void append(TraceEvent event) {
        put(event.kind().letter());
        if (event.iommu() != 0) {
            digits(event.iommu());
        }
        switch (event.kind()) {
            case RESET_SYSTEM, KICK -> { }
            case STATUS, BYPASS -> decimal(event.value());
            case PROBE -> probe(event);
            case ATTACH -> attach(event);
            case DETACH -> detach(event);
            case MAP -> map(event);
            case UNMAP -> unmap(event);
            case TRANSLATE -> translate(event);
            case FAULT -> fault(event);
            case RAW -> raw(event);
        }
        put('\n');
    }

    private void probe(TraceEvent event) {
        unsigned(event.endpoint());
        decimal(event.status());
    }

    private void attach(TraceEvent event) {
        unsigned(event.domain());
        unsigned(event.endpoint());
        if (event.flagsRecorded()) {
            unsigned(event.flags());
        } else {
            unrecorded();
        }
        decimal(event.status());
        removed(event.removed());
    }

    private void detach(TraceEvent event) {
        unsigned(event.domain());
        unsigned(event.endpoint());
        decimal(event.status());
        removed(event.removed());
    }

    private void map(TraceEvent event) {
        unsigned(event.domain());
        hex(event.virtStart());
        hex(event.virtEnd());
        hex(event.physStart());
        unsigned(event.flags());
        decimal(event.status());
    }

    private void unmap(TraceEvent event) {
        unsigned(event.domain());
        hex(event.virtStart());
        hex(event.virtEnd());
        decimal(event.status());
        removed(event.removed());
    }

    private void translate(TraceEvent event) {
        unsigned(event.endpoint());
        hex(event.iova());
        decimal(event.access());
        switch (event.translation()) {
            case ADDRESS -> translatedAddress(event.address());
            case MSI -> outcome('m');
            case BYPASS -> outcome('b');
            case FAULT -> outcome('f');
        }
    }

    private void outcome(char letter) {
        put(' ');
        put(letter);
    }

    private void translatedAddress(long address) {
        if (address == 0xb || address == 0xf) {
            // One digit alone would be read as bypass or fault.
            put(' ');
            put('0');
            put(address == 0xb ? 'b' : 'f');
        } else {
            hex(address);
        }
    }

    private void fault(TraceEvent event) {
        decimal(event.reason());
        unsigned(event.flags());
        unsigned(event.endpoint());
        hex(event.address());
    }

    private void raw(TraceEvent event) {
        dump(event.readable(), event.readableLength());
        decimal(event.writableLength());
        decimal(event.usedLength());
        dump(event.written(), event.writtenLength());
    }

    private void dump(byte[] source, int count) {
        put(' ');
        if (count == 0) {
            put('-');
        }
        for (int i = 0; i < count; i++) {
            put(hexDigit(source[i] >> 4));
            put(hexDigit(source[i]));
        }
    }

    private void removed(long removed) {
        if (removed == TraceEvent.UNRECORDED) {
            unrecorded();
        } else {
            decimal(removed);
        }
    }

    private void unrecorded() {
        put(' ');
        put('?');
    }

    private void unsigned(int value) {
        decimal(Integer.toUnsignedLong(value));
    }

    private void decimal(long value) {
        put(' ');
        digits(value);
    }

    private void digits(long value) {
        int places = 1;
        for (long rest = value / 10; rest != 0; rest /= 10) {
            places++;
        }
        reserve(places);
        length += places;
        long rest = value;
        for (int at = length - 1; at >= length - places; at--) {
            bytes[at] = (byte) ('0' + rest % 10);
            rest /= 10;
        }
    }

    private void hex(long value) {
        put(' ');
        int places = Math.max(1, (67 - Long.numberOfLeadingZeros(value)) / 4);
        for (int shift = 4 * (places - 1); shift >= 0; shift -= 4) {
            put(hexDigit((int) (value >>> shift)));
        }
    }

    private static char hexDigit(int value) {
        int nibble = value & 0xf;
        return (char) (nibble < 10 ? '0' + nibble : 'a' + nibble - 10);
    }

    private void put(char character) {
        reserve(1);
        bytes[length++] = (byte) character;
    }

    private void reserve(int count) {
        if (bytes.length - length < count) {
            bytes = Arrays.copyOf(bytes, Math.max(2 * bytes.length, length + count));
        }
    }
}
