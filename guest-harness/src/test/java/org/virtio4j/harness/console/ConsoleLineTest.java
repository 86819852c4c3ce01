// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.harness.console;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ConsoleLineTest {

    @Test
    void shouldNoticeACrashOfLinux() {
        assertEquals(new ConsoleLine.Crash("kernel BUG at lib/list_debug.c:32!"),
                ConsoleLine.of("[    2.424490] kernel BUG at lib/list_debug.c:32!"));
        assertEquals(new ConsoleLine.Crash("Oops: invalid opcode: 0000 [#1] PREEMPT SMP NOPTI"),
                ConsoleLine.of("[    2.425868] Oops: invalid opcode: 0000 [#1] PREEMPT SMP NOPTI"));
        assertEquals(new ConsoleLine.Crash("---[ end trace 0000000000000000 ]---"),
                ConsoleLine.of("[    2.429617] ---[ end trace 0000000000000000 ]---"));
    }

    @Test
    void shouldUnderstandWhatTheGuestSays() {
        assertEquals(new ConsoleLine.Fact("group/0/type", "DMA-FQ"), line("fact group/0/type=DMA-FQ"));
        assertEquals(new ConsoleLine.Fact("a", "b=c d"), line("fact a=b=c d"));
        assertEquals(new ConsoleLine.Fact("empty", ""), line("fact empty="));
        assertEquals(new ConsoleLine.Step("reading a little"), line("step reading a little"));
        assertEquals(new ConsoleLine.Ready("fault"), line("ready fault"));
        assertEquals(new ConsoleLine.Failed("no such work: 'x'"), line("failed no such work: 'x'"));
        assertEquals(new ConsoleLine.Done(), line("done"));
    }

    /** As kernels print it that say who is speaking. */
    @Test
    void shouldUnderstandWhoSaysIt() {
        assertEquals(new ConsoleLine.Done(), ConsoleLine.of("[   12.345678][    T1] virtio4j: done"));
        assertEquals(new ConsoleLine.Done(), ConsoleLine.of("[12345.345678][   C12] virtio4j: done"));
    }

    @Test
    void shouldUnderstandFaultsOfDma() {
        assertEquals(new ConsoleLine.DmaFault("page", 72, 0xdead000L, "W"),
                ConsoleLine.of("[    3.000001] virtio_iommu virtio0: page fault from EP 72 at 0xdead000 [W]"));
        assertEquals(new ConsoleLine.DmaFault("domain", 80, -1, "R"), ConsoleLine.of(
                "[    3.000001] virtio_iommu virtio0: domain fault from EP 80 at 0xffffffffffffffff [R]"));
        assertEquals(new ConsoleLine.DmaFault("page", 72, 0, "RWX"),
                ConsoleLine.of("[    3.000001] virtio_iommu virtio0: page fault from EP 72 at 0 [RWX]"));
    }

    /** A program of the guest may print what it likes; a kernel may say something new. */
    @ParameterizedTest
    @ValueSource(strings = {"", "virtio4j: done", "$ virtio4j: done", "[    1.0] virtio4j:", "[    1.0] virtio4j: ",
        "[    1.0] virtio4j: hello", "[    1.0] virtio4j: fact nothing", "[    1.0] usb: done", "[x] virtio4j: done",
        "[    3.0] virtio_iommu virtio0: page fault from EP 99999999999 at 0x0 [W]",
        "[    3.0] virtio_iommu virtio0: page fault from EP 72 at 0x11112222333344445 [W]"})
    void shouldTakeTheRestForNothing(String text) {
        assertEquals(new ConsoleLine.Other(text), assertInstanceOf(ConsoleLine.Other.class, ConsoleLine.of(text)));
    }

    private static ConsoleLine line(String said) {
        return ConsoleLine.of("[    2.345678] virtio4j: " + said);
    }
}
