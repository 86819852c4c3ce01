// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.pci;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.virtio4j.pci.PciGuest.message;

import java.util.List;
import java.util.Random;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.virtio4j.device.ResetKind;
import org.virtio4j.fixture.Seeds;

/**
 * An interrupt that is held back is withdrawn when its queue is reset (section 2.6.1.1.1), its event unmapped
 * (4.1.5.3.1, 4.1.5.4.1), or the device reset (2.4.1).
 */
class WithdrawnInterruptTest {

    private static final int EVENTS = 3;

    private final PciGuest guest = PciGuest.sendingMessages();
    private final PciGuest keeper = PciGuest.handingOverVectors();

    /** The model: the vector of each event, whether it is pending, and whether each vector is masked. */
    private final int[] vectors = {0, 1, 2};
    private final boolean[] waits = new boolean[EVENTS];
    private final boolean[] masked = new boolean[EVENTS];

    /** What holds an interrupt back, and how the guest lets go. */
    enum Hold {
        VECTOR_MASK(guest -> guest.mask(1, true)),
        FUNCTION_MASK(guest -> guest.messageControl(PciSpec.MSIX_ENABLE | PciSpec.MSIX_MASK_ALL)),
        BUS_MASTER_OFF(guest -> guest.command(PciSpec.MEMORY_SPACE)),
        SLEEP(guest -> guest.powerState(3));

        @SuppressWarnings("ImmutableEnumChecker") // a lambda that captures nothing
        private final Consumer<PciGuest> hold;

        Hold(Consumer<PciGuest> hold) {
            this.hold = hold;
        }

        static void letGo(PciGuest guest) {
            guest.powerState(0);
            guest.command(PciGuest.ON);
            guest.messageControl(PciSpec.MSIX_ENABLE);
            for (int vector = 0; vector < 3; vector++) {
                guest.point(vector);
            }
        }
    }

    /** What ends the claim of queue 0 to its vector. */
    enum End {
        QUEUE_RESET(guest -> guest.resetQueue(0)),
        NO_VECTOR(guest -> guest.map(0, PciSpec.NO_VECTOR)),
        IMPOSSIBLE_VECTOR(guest -> guest.map(0, 77)),
        OTHER_VECTOR(guest -> guest.map(0, 2)),
        STATUS_0(guest -> guest.put(PciSpec.DEVICE_STATUS, 1, 0)),
        FUNCTION_RESET(PciGuest::functionReset),
        EMBEDDER_DEVICE(guest -> guest.function.reset(ResetKind.DEVICE)),
        EMBEDDER_SYSTEM(guest -> guest.function.reset(ResetKind.SYSTEM));

        @SuppressWarnings("ImmutableEnumChecker") // a lambda that captures nothing
        private final Consumer<PciGuest> end;

        End(Consumer<PciGuest> end) {
            this.end = end;
        }

        /** Registers other than those of configuration space answer to a function that is awake. */
        boolean worksAsleep() {
            return this == FUNCTION_RESET || this == EMBEDDER_DEVICE || this == EMBEDDER_SYSTEM;
        }

        boolean endsTheQueueAlone() {
            return this == QUEUE_RESET || this == NO_VECTOR || this == IMPOSSIBLE_VECTOR || this == OTHER_VECTOR;
        }
    }

    static Stream<Arguments> pairs() {
        return Stream.of(Hold.values()).flatMap(hold -> Stream.of(End.values())
                .filter(end -> hold != Hold.SLEEP || end.worksAsleep()).map(end -> Arguments.of(hold, end)));
    }

    @AfterEach
    void close() {
        guest.close();
        keeper.close();
    }

    @ParameterizedTest
    @MethodSource("pairs")
    @DisplayName("2.6.1.1.1, 4.1.5.3.1, 2.4.1: no message of before is sent")
    void shouldWithdrawWhatIsPending(Hold hold, End end) {
        start(guest);
        hold.hold.accept(guest);
        guest.context().interrupt(0);
        assertEquals(List.of(), guest.messages);
        end.end.accept(guest);
        Hold.letGo(guest);
        assertEquals(List.of(), guest.messages);
        assertEquals(0, guest.pending());
    }

    @ParameterizedTest
    @EnumSource(End.class)
    @DisplayName("2.6.1.1.1, 4.1.5.3.1, 2.4.1: an embedder who keeps the table is told which vector to withdraw")
    void shouldTellTheEmbedderToWithdraw(End end) {
        start(keeper);
        keeper.context().interrupt(0);
        keeper.context().interrupt(1);
        assertEquals(List.of(1, 2), keeper.vectors);
        end.end.accept(keeper);
        assertEquals(end.endsTheQueueAlone() ? List.of(1) : List.of(1, 2), keeper.withdrawn);
        end.end.accept(keeper);
        assertEquals(end.endsTheQueueAlone() ? 1 : 2, keeper.withdrawn.size(), "once is enough");
    }

    @Test
    @DisplayName("4.1.5.4.1: without a vector a configuration change of before is not told")
    void shouldWithdrawAConfigurationChangeWhenItIsUnmapped() {
        start(guest);
        start(keeper);
        guest.mask(0, true);
        guest.context().configChanged();
        keeper.context().configChanged();
        guest.put(PciSpec.CONFIG_MSIX_VECTOR, 2, PciSpec.NO_VECTOR);
        keeper.put(PciSpec.CONFIG_MSIX_VECTOR, 2, PciSpec.NO_VECTOR);
        guest.mask(0, false);
        assertEquals(List.of(), guest.messages);
        assertEquals(List.of(0), keeper.withdrawn);
    }

    @Test
    void shouldKeepWhatIsPendingWhenTheSameVectorIsWrittenAgain() {
        start(guest);
        start(keeper);
        guest.mask(1, true);
        guest.context().interrupt(0);
        keeper.context().interrupt(0);
        guest.map(0, 1);
        keeper.map(0, 1);
        guest.mask(1, false);
        assertEquals(List.of(message(1)), guest.messages);
        assertEquals(List.of(), keeper.withdrawn);
    }

    @Test
    @DisplayName("4.1.5.1.2.1: events may share a vector; what one of them raised outlives the others")
    void shouldKeepTheEventOfAnotherQueueOnTheSameVector() {
        start(guest);
        guest.map(1, 1);
        guest.put(PciSpec.CONFIG_MSIX_VECTOR, 2, 1);
        guest.mask(1, true);
        guest.context().interrupt(0);
        guest.context().interrupt(1);
        guest.context().configChanged();
        guest.resetQueue(0);
        assertEquals(0b010, guest.pending());
        guest.map(1, 2);
        assertEquals(0b010, guest.pending());
        guest.mask(1, false);
        assertEquals(List.of(message(1)), guest.takeMessages());
        guest.mask(1, true);
        guest.context().configChanged();
        guest.resetQueue(1);
        assertEquals(0b010, guest.pending());
        guest.put(PciSpec.CONFIG_MSIX_VECTOR, 2, PciSpec.NO_VECTOR);
        assertEquals(0, guest.pending());
    }

    @Test
    void shouldWithdrawWhenTheOtherEventsOfTheVectorHaveRaisedNothing() {
        start(guest);
        start(keeper);
        for (PciGuest each : List.of(guest, keeper)) {
            each.map(1, 1);
            each.mask(1, true);
            each.context().interrupt(0);
            each.resetQueue(0);
        }
        assertEquals(0, guest.pending());
        assertEquals(List.of(1), keeper.withdrawn);
    }

    @Test
    void shouldTellTheEmbedderOnlyWhenNoEventIsLeftThatHasRaisedTheVector() {
        start(keeper);
        keeper.map(1, 1);
        keeper.context().interrupt(0);
        keeper.context().interrupt(1);
        keeper.resetQueue(0);
        assertEquals(List.of(), keeper.withdrawn);
        keeper.map(1, PciSpec.NO_VECTOR);
        assertEquals(List.of(1), keeper.withdrawn);
    }

    @Test
    void shouldRaiseAgainWhatAnotherEventRaisesWhileTheVectorIsWithdrawn() {
        start(keeper);
        keeper.context().interrupt(0);
        keeper.vectors.clear();
        keeper.inDelivery = () -> {
            keeper.inDelivery = () -> { };
            keeper.put(PciSpec.CONFIG_MSIX_VECTOR, 2, 1);
            keeper.context().configChanged();
        };
        keeper.map(0, 2);
        assertEquals(List.of(1), keeper.withdrawn);
        assertEquals(List.of(1, 1), keeper.vectors);
    }

    @Test
    void shouldRaiseAVectorAgainAfterItWasWithdrawn() {
        start(guest);
        start(keeper);
        for (PciGuest each : List.of(guest, keeper)) {
            each.mask(1, true);
            each.context().interrupt(0);
            each.resetQueue(0);
            each.enable(0);
            each.map(0, 1);
            each.mask(1, false);
            each.context().interrupt(0);
        }
        assertEquals(List.of(message(1)), guest.messages);
        assertEquals(List.of(1), keeper.vectors);
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    @DisplayName("PCI 6.8.2, 4.1.5.1.2.1: the pending bits are those of a model that keeps each event apart")
    void shouldHoldAndWithdrawLikeAModel(boolean sendsMessages) {
        PciGuest guest = sendsMessages ? this.guest : keeper;
        start(guest);
        Random random = new Random(Seeds.next());
        for (int step = 0; step < 20_000; step++) {
            int event = random.nextInt(EVENTS);
            int vector = random.nextInt(EVENTS);
            switch (random.nextInt(4)) {
                case 0 -> raise(guest, event);
                case 1 -> remap(guest, event, vector);
                default -> toggle(guest, vector);
            }
            long bits = 0;
            for (int other = 0; other < EVENTS; other++) {
                bits |= waits[other] ? 1L << vectors[other] : 0;
            }
            assertEquals(bits, guest.pending(), "step " + step);
        }
    }

    private void raise(PciGuest guest, int event) {
        if (event == 0) {
            guest.context().configChanged();
        } else {
            guest.context().interrupt(event - 1);
        }
        waits[event] |= masked[vectors[event]];
        assertEquals(waits[event] ? List.of() : List.of(vectors[event]), takeVectors(guest));
    }

    private void remap(PciGuest guest, int event, int vector) {
        waits[event] &= vectors[event] == vector;
        vectors[event] = vector;
        if (event == 0) {
            guest.put(PciSpec.CONFIG_MSIX_VECTOR, 2, vector);
        } else {
            guest.map(event - 1, vector);
        }
    }

    private void toggle(PciGuest guest, int vector) {
        masked[vector] = !masked[vector];
        guest.mask(vector, masked[vector]);
        boolean any = false;
        for (int other = 0; other < EVENTS && !masked[vector]; other++) {
            any |= waits[other] && vectors[other] == vector;
            waits[other] &= vectors[other] != vector;
        }
        assertEquals(any ? List.of(vector) : List.of(), takeVectors(guest));
    }

    /** Which vectors have arrived, as messages or as numbers. */
    private static List<Integer> takeVectors(PciGuest guest) {
        List<Integer> taken = Stream.concat(guest.takeMessages().stream().map(message -> message.data() - 0x4000),
                guest.vectors.stream()).toList();
        guest.vectors.clear();
        return taken;
    }

    private static void start(PciGuest each) {
        each.start();
        each.useMessages();
    }
}
