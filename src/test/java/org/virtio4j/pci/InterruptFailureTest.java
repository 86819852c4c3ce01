// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.pci;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.virtio4j.pci.PciGuest.message;

import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.virtio4j.device.ResetKind;

/** An embedder whose sink throws is told so, once; table, status and locks are as if it had not. */
@ParameterizedClass
@EnumSource
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class InterruptFailureTest {

    /** What a sink may throw. */
    enum Thrown {
        EXCEPTION(new IllegalStateException("on purpose")),
        ERROR(new AssertionError("on purpose"));

        @SuppressWarnings("ImmutableEnumChecker") // nobody changes it
        private final Throwable thrown;

        Thrown(Throwable thrown) {
            this.thrown = thrown;
        }

        void raise() {
            if (thrown instanceof Error error) {
                throw error;
            }
            throw (RuntimeException) thrown;
        }
    }

    private final PciGuest guest = PciGuest.sendingMessages();
    private final PciGuest keeper = PciGuest.handingOverVectors();
    private final Thrown thrown;
    private int calls;

    InterruptFailureTest(Thrown thrown) {
        this.thrown = thrown;
        for (PciGuest each : List.of(guest, keeper)) {
            each.start();
            each.useMessages();
        }
    }

    @AfterEach
    void close() {
        guest.close();
        keeper.close();
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3})
    void shouldSendTheOtherMessagesWhenOneThrows(int which) {
        guest.messageControl(PciSpec.MSIX_ENABLE | PciSpec.MSIX_MASK_ALL);
        guest.context().configChanged();
        guest.context().interrupt(0);
        guest.context().interrupt(1);
        throwInCall(guest, which);
        assertThrown(() -> guest.messageControl(PciSpec.MSIX_ENABLE));
        assertEquals(2, guest.takeMessages().size());
        assertEquals(0, guest.pending(), "one that was thrown over counts as sent");
        guest.context().interrupt(0);
        assertEquals(List.of(message(1)), guest.takeMessages());
    }

    @ParameterizedTest
    @EnumSource(ResetKind.class)
    void shouldResetAfterAMessageThatThrew(ResetKind kind) {
        throwInCall(guest, 1);
        assertThrown(() -> guest.context().interrupt(0));
        guest.map(0, 2);
        guest.function.reset(kind);
        guest.start();
        guest.useMessages();
        guest.context().interrupt(0);
        assertEquals(List.of(message(1)), guest.messages);
    }

    @ParameterizedTest
    @EnumSource(ResetKind.class)
    void shouldResetAfterAVectorThatThrew(ResetKind kind) {
        throwInCall(keeper, 1);
        assertThrown(() -> keeper.context().interrupt(0));
        keeper.context().interrupt(0);
        keeper.function.reset(kind);
        assertEquals(List.of(1), keeper.withdrawn);
        keeper.start();
        keeper.useMessages();
        keeper.context().interrupt(0);
        assertEquals(List.of(1, 1), keeper.vectors);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3})
    void shouldWithdrawTheOtherVectorsWhenOneThrows(int which) {
        keeper.context().configChanged();
        keeper.context().interrupt(0);
        keeper.context().interrupt(1);
        throwInCall(keeper, which);
        assertThrown(() -> keeper.put(PciSpec.DEVICE_STATUS, 1, 0));
        assertEquals(2, keeper.withdrawn.size());
        assertEquals(0, keeper.get(PciSpec.DEVICE_STATUS, 1), "the reset is complete");
        keeper.put(PciSpec.DEVICE_STATUS, 1, 0);
        assertEquals(2, keeper.withdrawn.size());
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3})
    void shouldRaiseTheOtherVectorsWhenOneThrowsOnTheWayOutOfSleep(int which) {
        keeper.powerState(3);
        keeper.context().configChanged();
        keeper.context().interrupt(0);
        keeper.context().interrupt(1);
        throwInCall(keeper, which);
        assertThrown(() -> keeper.powerState(0));
        assertEquals(2, keeper.vectors.size());
    }

    private void throwInCall(PciGuest each, int which) {
        each.inDelivery = () -> {
            calls++;
            if (calls == which) {
                thrown.raise();
            }
        };
    }

    private void assertThrown(Executable what) {
        assertSame(thrown.thrown, assertThrows(Throwable.class, what));
    }
}
