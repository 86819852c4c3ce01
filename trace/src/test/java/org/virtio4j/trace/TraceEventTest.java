// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.trace;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.EnumSet;
import org.junit.jupiter.api.Test;

class TraceEventTest {
    @Test
    void shouldTakeNoFlagsWhenTheyAreNotRecorded() {
        TraceEvent.Attach event = new TraceEvent.Attach(3, 1, 2, 5, false, 6, TraceEvent.UNRECORDED);
        assertEquals(0, event.flags());
        assertEquals(new TraceEvent.Attach(3, 1, 2, 0, false, 6, TraceEvent.UNRECORDED), event);
        assertEquals("A3 1 2 ? 6 ?", event.text());
    }

    @Test
    void shouldTakeNoAddressWhenATranslationHasNone() {
        for (TranslationKind kind : EnumSet.complementOf(EnumSet.of(TranslationKind.ADDRESS))) {
            assertEquals(0, new TraceEvent.Translate(0, 8, 0x1000, 1, kind, 0x7000).address());
        }
        assertEquals(0x7000, new TraceEvent.Translate(0, 8, 0x1000, 1, TranslationKind.ADDRESS, 0x7000).address());
    }

    @Test
    void shouldWriteALeadingZeroWhenTheAddressLooksLikeAnOutcome() {
        for (long address : new long[] {0xb, 0xf, 0, 0xa, 0xbb}) {
            TraceEvent event = new TraceEvent.Translate(0, 8, address, 1, TranslationKind.ADDRESS, address);
            String result = address == 0xb ? "0b" : address == 0xf ? "0f" : Long.toHexString(address);
            assertEquals("T 8 " + Long.toHexString(address) + " 1 " + result, event.text());
        }
    }

    @Test
    void shouldSayRequestWhenTheKindGoesOnTheRing() {
        assertTrue(EventKind.MAP.isRequest());
        assertTrue(EventKind.RAW.isRequest());
        assertFalse(EventKind.TRANSLATE.isRequest());
        assertFalse(EventKind.KICK.isRequest());
    }

    @Test
    void shouldDifferWhenOneFieldDiffers() {
        assertNotEquals(new TraceEvent.Unmap(0, 1, 2, 3, 0, 4), new TraceEvent.Unmap(0, 1, 2, 3, 0, 5));
        RawRequest request = RawRequest.of(0, new byte[] {1, 2}, 2, 4, 1, new byte[] {3});
        assertNotEquals(request, RawRequest.of(0, new byte[] {1, 2}, 2, 4, 1, new byte[] {4}));
        assertEquals(request, RawRequest.of(0, new byte[] {1, 2, 9}, 2, 4, 1, new byte[] {3, 9}));
    }

    @Test
    void shouldKeepARawRequestWhenItsArraysAreChanged() {
        byte[] readable = {1, 2};
        RawRequest request = RawRequest.of(0, readable, 2, 4, 1, new byte[] {3});
        readable[0] = 9;
        request.readable()[1] = 9;
        request.written()[0] = 9;
        assertEquals("R 0102 4 1 03", request.text());
    }

    @Test
    void shouldThrowWhenAValueCannotBeWritten() {
        assertRefused("deviceStatus=256: give 0 to 255", () -> new TraceEvent.Status(0, 256));
        assertRefused("status=9: give 0 to 8", () -> new TraceEvent.Probe(0, 1, 9));
        assertRefused("removed=-1: give 0 to 4294967295", () -> new TraceEvent.Unmap(0, 1, 0, 0, 0, -1));
        assertRefused("removed=-2: give 0 to 4294967295", () -> new TraceEvent.Detach(0, 1, 0, 0, -2));
        assertRefused("access=3: give 1 for a read or 2 for a write",
                () -> new TraceEvent.Translate(0, 1, 0, 3, TranslationKind.MSI, 0));
        assertRefused("iommu=65536: give 0 to 65535", () -> new TraceEvent.Kick(65_536));
        assertRefused("readableLength=65537: give 0 to 65536",
                () -> RawRequest.of(0, new byte[65_537], 65_537, 0, 0, new byte[0]));
        assertRefused("kept bytes of written=70000: give 0 to 65536",
                () -> RawRequest.of(0, new byte[0], 0, 70_000, 80_000, new byte[80_000]));
    }

    private static void assertRefused(String message, Runnable action) {
        assertEquals(message, assertThrows(IllegalArgumentException.class, action::run).getMessage());
    }
}
