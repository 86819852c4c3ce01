// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.trace;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

class TraceEventTest {
    private final TraceEvent event = new TraceEvent();

    @Test
    void shouldForgetWhatItWasWhenSetAgain() {
        event.setMap(3, 1, 2, 3, 4, 5, 6);
        event.setKick(0);
        assertEquals(0, event.domain() | event.flags() | event.status() | event.iommu());
        assertEquals(0, event.virtStart() | event.virtEnd() | event.physStart() | event.removed());
        assertFalse(event.flagsRecorded());
        assertTrue(event.sameAs(new TraceEvent()));
    }

    @Test
    void shouldGiveAValueForItsKindOnlyWhenKindsShareIt() {
        event.setStatus(0, 11);
        assertEquals(11, event.deviceStatus());
        assertEquals(0, event.bypass() | event.reason());
        event.setBypass(0, 1);
        assertEquals(1, event.bypass());
        assertEquals(0, event.deviceStatus() | event.reason());
        event.setFault(0, 2, 0x101, 8, 0x1000);
        assertEquals(2, event.reason());
        assertEquals(0, event.deviceStatus() | event.bypass());
    }

    @Test
    void shouldWriteALeadingZeroWhenTheAddressLooksLikeAnOutcome() {
        for (long address : new long[] {0xb, 0xf, 0, 0xa, 0xbb}) {
            event.setTranslate(0, 8, address, 1, TranslationKind.ADDRESS, address);
            String result = address == 0xb ? "0b" : address == 0xf ? "0f" : Long.toHexString(address);
            assertEquals("T 8 " + Long.toHexString(address) + " 1 " + result, event.toString());
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
        TraceEvent other = new TraceEvent();
        event.setUnmap(0, 1, 2, 3, 0, 4);
        other.setUnmap(0, 1, 2, 3, 0, 5);
        assertFalse(event.sameAs(other));
        event.setRaw(0, new byte[] {1, 2}, 2, 4, 1, new byte[] {3});
        other.setRaw(0, new byte[] {1, 2}, 2, 4, 1, new byte[] {4});
        assertFalse(event.sameAs(other));
        other.setRaw(0, new byte[] {1, 2, 9}, 2, 4, 1, new byte[] {3, 9});
        assertTrue(event.sameAs(other));
    }

    @Test
    void shouldThrowWhenAValueCannotBeWritten() {
        assertRefused("deviceStatus=256: give 0 to 255", () -> event.setStatus(0, 256));
        assertRefused("status=9: give 0 to 8", () -> event.setProbe(0, 1, 9));
        assertRefused("removed=-1: give 0 to 4294967295", () -> event.setUnmap(0, 1, 0, 0, 0, -1));
        assertRefused("removed=-2: give 0 to 4294967295", () -> event.setDetach(0, 1, 0, 0, -2));
        assertRefused("access=3: give 1 for a read or 2 for a write",
                () -> event.setTranslate(0, 1, 0, 3, TranslationKind.MSI, 0));
        assertRefused("iommu=65536: give 0 to 65535", () -> event.setKick(65_536));
        assertRefused("readableLength=65537: give 0 to 65536",
                () -> event.setRaw(0, new byte[65_537], 65_537, 0, 0, new byte[0]));
        assertRefused("kept bytes of written=70000: give 0 to 65536",
                () -> event.setRaw(0, new byte[0], 0, 70_000, 80_000, new byte[80_000]));
    }

    private static void assertRefused(String message, Runnable action) {
        assertEquals(message, assertThrows(IllegalArgumentException.class, action::run).getMessage());
    }
}
