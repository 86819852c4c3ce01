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
        switch (event) {
            case TraceEvent.Map map -> map(map);
            case TraceEvent.Unmap unmap -> unmap(unmap);
            case TraceEvent.Translate translate -> translate(translate);
            case TraceEvent.Attach attach -> attach(attach);
            case TraceEvent.Detach detach -> detach(detach);
            case TraceEvent.Probe probe -> probe(probe);
            case TraceEvent.Fault fault -> fault(fault);
            case RawRequest raw -> raw.appendTo(this);
            case TraceEvent.Status status -> decimal(status.deviceStatus());
            case TraceEvent.Bypass bypass -> decimal(bypass.bypass());
            case TraceEvent.Reset _, TraceEvent.Kick _ -> { }
        }
        put('\n');
    }

    private void probe(TraceEvent.Probe event) {
        unsigned(event.endpoint());
        decimal(event.status());
    }

    private void attach(TraceEvent.Attach event) {
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

    private void detach(TraceEvent.Detach event) {
        unsigned(event.domain());
        unsigned(event.endpoint());
        decimal(event.status());
        removed(event.removed());
    }

    private void map(TraceEvent.Map event) {
        unsigned(event.domain());
        hex(event.virtStart());
        hex(event.virtEnd());
        hex(event.physStart());
        unsigned(event.flags());
        decimal(event.status());
    }

    private void unmap(TraceEvent.Unmap event) {
        unsigned(event.domain());
        hex(event.virtStart());
        hex(event.virtEnd());
        decimal(event.status());
        removed(event.removed());
    }

    private void translate(TraceEvent.Translate event) {
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

    private void fault(TraceEvent.Fault event) {
        decimal(event.reason());
        unsigned(event.flags());
        unsigned(event.endpoint());
        hex(event.address());
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

    /** A field of pairs of hexadecimal digits, or {@code -} for none. */
    void bytes(byte[] source) {
        put(' ');
        if (source.length == 0) {
            put('-');
        }
        for (byte value : source) {
            put(hexDigit(value >> 4));
            put(hexDigit(value));
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

    void decimal(long value) {
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
