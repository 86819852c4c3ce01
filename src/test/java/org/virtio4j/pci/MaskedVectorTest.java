// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.pci;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.List;
import java.util.concurrent.BrokenBarrierException;
import java.util.concurrent.CyclicBarrier;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.virtio4j.device.ResetKind;
import org.virtio4j.fixture.Allocations;
import org.virtio4j.fixture.Parked;

/**
 * Masks and pending bits of MSI-X where the embedder delivers vectors (PCI Local Bus 3.0, sections 6.8.2.9 and 6.8.3).
 * He may keep the table that the guest sees, and never write this one.
 */
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class MaskedVectorTest {

    private static final int ROUNDS = 3_000;

    private final PciGuest keeper = PciGuest.handingOverVectors();

    /** All that masks the vector of queue 0. */
    enum Mask {
        ENTRY((guest, on) -> guest.mask(1, on)),
        FUNCTION((guest, on) -> guest.messageControl(PciSpec.MSIX_ENABLE | (on ? PciSpec.MSIX_MASK_ALL : 0))),
        EMBEDDER((guest, on) -> guest.function.maskVector(1, on));

        @SuppressWarnings("ImmutableEnumChecker") // a lambda that captures nothing
        private final BiConsumer<PciGuest, Boolean> mask;

        Mask(BiConsumer<PciGuest, Boolean> mask) {
            this.mask = mask;
        }

        void set(PciGuest guest, boolean on) {
            mask.accept(guest, on);
        }
    }

    /** What ends the claim of queue 0 to its vector. */
    enum End {
        STATUS_0(guest -> guest.put(PciSpec.DEVICE_STATUS, 1, 0)),
        FUNCTION_RESET(PciGuest::functionReset),
        SYSTEM(guest -> guest.function.reset(ResetKind.SYSTEM)),
        QUEUE_RESET(guest -> guest.resetQueue(0)),
        NO_VECTOR(guest -> guest.map(0, PciSpec.NO_VECTOR));

        @SuppressWarnings("ImmutableEnumChecker") // a lambda that captures nothing
        private final Consumer<PciGuest> end;

        End(Consumer<PciGuest> end) {
            this.end = end;
        }
    }

    static Stream<Arguments> pairs() {
        return Stream.of(Mask.values()).flatMap(mask -> Stream.of(End.values()).map(end -> Arguments.of(mask, end)));
    }

    @BeforeEach
    void start() {
        startWithoutTable();
    }

    @AfterEach
    void close() {
        keeper.close();
    }

    @Test
    @DisplayName("6.8.2: entries are masked after a reset, but nobody has written these")
    void shouldRaiseVectorsWhoseEntriesNobodyHasWritten() {
        assertEquals(1, keeper.readTable(16 + 12, 4));
        keeper.context().interrupt(0);
        keeper.context().interrupt(1);
        assertEquals(List.of(1, 2), keeper.vectors);
        keeper.mask(2, true);
        keeper.context().interrupt(1);
        keeper.context().interrupt(0);
        assertEquals(List.of(1, 2, 1), keeper.vectors, "one entry says nothing of another");
    }

    @Test
    void shouldRaiseThemWhenTheFunctionWasMaskedWhileMessagesWereEnabled() {
        keeper.messageControl(0);
        keeper.messageControl(PciSpec.MSIX_ENABLE | PciSpec.MSIX_MASK_ALL);
        keeper.context().interrupt(0);
        assertEquals(List.of(), keeper.vectors);
        keeper.messageControl(PciSpec.MSIX_ENABLE);
        assertEquals(List.of(1), keeper.vectors);
        keeper.context().interrupt(0);
        assertEquals(List.of(1, 1), keeper.vectors);
    }

    @ParameterizedTest
    @EnumSource
    @DisplayName("6.8.2.9, 6.8.3: a masked vector sets its pending bit, and is raised once when it is unmasked")
    void shouldHoldAMaskedVectorBackAndRaiseItOnce(Mask mask) {
        mask.set(keeper, true);
        keeper.context().interrupt(0);
        keeper.context().interrupt(0);
        assertEquals(List.of(), keeper.vectors);
        assertEquals(0b010, keeper.pending());
        mask.set(keeper, false);
        assertEquals(List.of(1), keeper.vectors);
        assertEquals(0, keeper.pending());
        mask.set(keeper, true);
        mask.set(keeper, false);
        assertEquals(List.of(1), keeper.vectors, "it was delivered");
        keeper.context().interrupt(0);
        assertEquals(List.of(1, 1), keeper.vectors);
    }

    @ParameterizedTest
    @EnumSource
    void shouldHoldAVectorBackUntilTheLastMaskIsGone(Mask last) {
        for (Mask mask : Mask.values()) {
            mask.set(keeper, true);
        }
        keeper.context().interrupt(0);
        keeper.command(PciSpec.MEMORY_SPACE);
        for (Mask mask : Mask.values()) {
            mask.set(keeper, mask == last);
        }
        keeper.command(PciGuest.ON);
        assertEquals(List.of(), keeper.vectors);
        assertEquals(0b010, keeper.pending());
        last.set(keeper, false);
        assertEquals(List.of(1), keeper.vectors);
    }

    @Test
    @DisplayName("6.8.2: an entry that was written is masked as a reset has left it until its control says otherwise")
    void shouldCountTheMaskOfAnEntryOnceAnyOfItWasWritten() {
        keeper.writeTable(16, 8, PciGuest.DOORBELL);
        keeper.context().interrupt(0);
        assertEquals(List.of(), keeper.vectors);
        assertEquals(0b010, keeper.pending());
        keeper.writeTable(16 + 8, 8, 0x4001);
        assertEquals(List.of(1), keeper.vectors);
    }

    @ParameterizedTest
    @MethodSource("pairs")
    @DisplayName("2.4.1, 2.6.1.1.1, 4.1.5.3.1: what is masked is withdrawn with what has raised it")
    void shouldWithdrawWhatIsMasked(Mask mask, End end) {
        mask.set(keeper, true);
        keeper.context().interrupt(0);
        end.end.accept(keeper);
        keeper.command(PciGuest.ON);
        assertEquals(0, keeper.pending());
        mask.set(keeper, false);
        assertEquals(List.of(), keeper.vectors);
    }

    @Test
    void shouldClearMasksOfTheGuestWhenTheFunctionIsResetAndKeepTheEmbedders() {
        keeper.mask(1, true);
        keeper.function.maskVector(2, true);
        keeper.messageControl(PciSpec.MSIX_ENABLE | PciSpec.MSIX_MASK_ALL);
        keeper.functionReset();
        startWithoutTable();
        keeper.context().interrupt(0);
        keeper.context().interrupt(1);
        assertEquals(List.of(1), keeper.vectors);
        keeper.function.maskVector(2, false);
        assertEquals(List.of(1, 2), keeper.vectors);
    }

    @Test
    @DisplayName("4.1.5.1.2.1: what is masked outlives what was delivered before on the same vector, and the reverse")
    void shouldTellWhatIsMaskedFromWhatWasDelivered() {
        keeper.map(1, 1);
        keeper.context().interrupt(0);
        keeper.mask(1, true);
        keeper.context().interrupt(1);
        keeper.resetQueue(1);
        assertEquals(0, keeper.pending());
        keeper.mask(1, false);
        assertEquals(List.of(1), keeper.vectors);
        assertEquals(List.of(), keeper.withdrawn, "queue 0 may have it still");
    }

    @Test
    void shouldMaskAVectorOfItsOwnTableForTheEmbedderToo() {
        try (PciGuest guest = PciGuest.sendingMessages()) {
            guest.start();
            guest.useMessages();
            guest.function.maskVector(1, true);
            guest.context().interrupt(0);
            assertEquals(List.of(), guest.messages);
            assertEquals(0b010, guest.pending());
            guest.function.maskVector(1, false);
            assertEquals(List.of(PciGuest.message(1)), guest.messages);
            assertThrows(IndexOutOfBoundsException.class, () -> guest.function.maskVector(3, true));
        }
    }

    @ParameterizedTest
    @EnumSource
    void shouldRaiseOnceWhenAVectorIsMaskedMeanwhile(Mask mask) {
        CyclicBarrier together = new CyclicBarrier(2);
        Thread device = new Thread(() -> {
            for (int round = 0; round < ROUNDS; round++) {
                await(together);
                keeper.context().interrupt(0);
                await(together);
            }
        }, "device");
        device.start();
        for (int round = 0; round < ROUNDS; round++) {
            await(together);
            mask.set(keeper, true);
            mask.set(keeper, false);
            await(together);
            assertEquals(List.of(1), keeper.vectors, "round " + round);
            assertEquals(0, keeper.pending());
            keeper.vectors.clear();
        }
        Parked.finish(device);
    }

    @ParameterizedTest
    @EnumSource(value = Mask.class, names = {"ENTRY", "EMBEDDER"})
    void shouldAllocateNothingWhenAVectorIsMaskedRaisedAndLetGo(Mask mask) {
        Allocations.assertNone(500, () -> {
            keeper.context().interrupt(0);
            mask.set(keeper, true);
            keeper.context().interrupt(0);
            mask.set(keeper, false);
            keeper.vectors.clear();
        });
    }

    /** As a guest whose table is kept elsewhere. */
    private void startWithoutTable() {
        keeper.start();
        keeper.messageControl(PciSpec.MSIX_ENABLE);
        keeper.put(PciSpec.CONFIG_MSIX_VECTOR, 2, 0);
        keeper.map(0, 1);
        keeper.map(1, 2);
    }

    private static void await(CyclicBarrier barrier) {
        try {
            barrier.await();
        } catch (InterruptedException | BrokenBarrierException stopped) {
            throw new AssertionError(stopped);
        }
    }
}
