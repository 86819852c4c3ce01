// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.launcher;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.virtio4j.replay.input.ReplayTransport;
import org.virtio4j.replay.result.Mismatch;
import org.virtio4j.replay.result.TraceResult;
import org.virtio4j.trace.EventKind;

class ReplayTextReportTest {

    private static final Mismatch FIRST = new Mismatch("t", 1, "x");
    private static final Mismatch SECOND = new Mismatch("t", 2, "y");

    @Test
    void shouldHaveOneColumnWhenThereIsOneTransport() {
        assertEquals("""
                t
                  transport               pci
                  requests                1,000 (MAP 1,000, UNMAP 0, ATTACH 0, DETACH 0, PROBE 0, raw 0)
                  kicks                   3
                  requests per second     500
                  translations checked    4
                  peak live mappings      5
                  heap bytes per request  0.016 (16 in all)
                  mismatches              0
                """, ReplayTextReport.of(List.of(result(ReplayTransport.PCI, true, 1000, 16, 0))));
    }

    @Test
    void shouldTellWhatIsAlikeOnceWhenThereAreTwoTransports() {
        assertEquals("""
                t
                  transport               mmio                  pci
                  requests                10 (MAP 10, UNMAP 0, ATTACH 0, DETACH 0, PROBE 0, raw 0)
                  kicks                   3                     3
                  requests per second     5                     5
                  translations checked    4                     4
                  peak live mappings      5                     5
                  heap bytes per request  0.000 (0 in all)      unknown to this JVM
                  mismatches              12                    12
                    t:1: x
                    t:2: y
                    ... and 10 more
                """, ReplayTextReport.of(List.of(result(ReplayTransport.MMIO, true, 10, 0, 12, FIRST, SECOND),
                result(ReplayTransport.PCI, true, 10, -1, 12, FIRST, SECOND))));
    }

    @Test
    void shouldNameTheTransportWhenWhatCameDiffers() {
        assertEquals("""
                t (not played to its end over pci)
                  transport               mmio                  pci
                  requests, mmio          10 (MAP 10, UNMAP 0, ATTACH 0, DETACH 0, PROBE 0, raw 0)
                  requests, pci           9 (MAP 9, UNMAP 0, ATTACH 0, DETACH 0, PROBE 0, raw 0)
                  kicks                   3                     3
                  requests per second     5                     5
                  translations checked    4                     4
                  peak live mappings      5                     5
                  heap bytes per request  0.000 (0 in all)      0.000 (0 in all)
                  mismatches              1                     3
                    t:1: x
                    pci: t:2: y
                    pci: ... and 1 more
                """, ReplayTextReport.of(List.of(result(ReplayTransport.MMIO, true, 10, 0, 1, FIRST),
                result(ReplayTransport.PCI, false, 9, 0, 3, FIRST, SECOND))));
    }

    @Test
    void shouldSaySoWhenNothingWasPlayedToItsEnd() {
        String text = ReplayTextReport.of(List.of(result(ReplayTransport.MMIO, false, 1, 0, 0),
                result(ReplayTransport.PCI, false, 1, 0, 0)));
        assertEquals("t (not played to its end)", text.lines().findFirst().orElseThrow());
    }

    private static TraceResult result(ReplayTransport transport, boolean complete, long maps, long heapBytes,
            long mismatches, Mismatch... first) {
        return new TraceResult("t", transport, complete, 0, Map.of(EventKind.MAP, maps), 3, 4, 2_000_000_000,
                heapBytes, 5, mismatches, List.of(first));
    }
}
