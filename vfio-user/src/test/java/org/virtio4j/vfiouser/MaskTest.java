// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.vfiouser;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.virtio4j.vfiouser.SetIrqs.BOOL;
import static org.virtio4j.vfiouser.SetIrqs.EVENTFD;
import static org.virtio4j.vfiouser.SetIrqs.MASK;
import static org.virtio4j.vfiouser.SetIrqs.MSIX;
import static org.virtio4j.vfiouser.SetIrqs.NONE;
import static org.virtio4j.vfiouser.SetIrqs.TRIGGER;
import static org.virtio4j.vfiouser.SetIrqs.UNMASK;
import static org.virtio4j.vfiouser.SetIrqs.count;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.virtio4j.device.DeviceContext;
import org.virtio4j.device.DeviceInfo;
import org.virtio4j.device.Features;
import org.virtio4j.device.ResetKind;
import org.virtio4j.device.VirtioDevice;
import org.virtio4j.dma.DmaSpace;
import org.virtio4j.pci.VirtioPciFunction;

/**
 * Masks of MSI-X as a client sees them (PCI Local Bus 3.0, sections 6.8.2.9 and 6.8.3; {@code DEVICE_SET_IRQS} of the
 * protocol). One that emulates the table for its guest, as QEMU does, never writes that of the function.
 */
@Timeout(60)
class MaskTest {

    private static final int VIRTIO_BAR = 4;
    private static final int ENABLE = 0x8000;
    private static final int MASK_ALL = 0x4000;

    @TempDir
    private Path folder;
    private final Source device = new Source();
    private final int first = Libc.eventfd();
    private final int second = Libc.eventfd();
    private VfioUserSocket socket;
    private TestClient client;
    private int capability;
    private int bar;
    private int pendingBits;

    /** A device whose configuration changes when it is told to. */
    private static final class Source implements VirtioDevice {

        private volatile @Nullable DeviceContext context;

        @Override
        public DeviceInfo info() {
            return new DeviceInfo(4, List.of(8), 0);
        }

        @Override
        public Features offered() {
            return Features.NONE;
        }

        @Override
        public void activate(DeviceContext now) {
            context = now;
        }

        @Override
        public void kicked(int number) {
            raise();
        }

        void raise() {
            Objects.requireNonNull(context).configChanged();
        }

        @Override
        public void reset(ResetKind kind) {
            // Nothing is kept.
        }

        @Override
        public long readConfig(int offset, int width) {
            return 0;
        }

        @Override
        public void writeConfig(int offset, int width, long value) {
            // There is none.
        }
    }

    /** All that holds vector 1 back. */
    enum Held {
        ENTRY((test, on) -> test.client.write(test.bar, 16 + 12, 4, on ? 1 : 0)),
        FUNCTION((test, on) -> test.messageControl(ENABLE | (on ? MASK_ALL : 0))),
        SET_IRQS((test, on) -> test.client.setIrqs(NONE | (on ? MASK : UNMASK), MSIX, 1, 1));

        @SuppressWarnings("ImmutableEnumChecker") // a lambda that captures nothing
        private final BiConsumer<MaskTest, Boolean> hold;

        Held(BiConsumer<MaskTest, Boolean> hold) {
            this.hold = hold;
        }

        void set(MaskTest test, boolean on) {
            hold.accept(test, on);
        }
    }

    @BeforeEach
    void serve() throws IOException {
        socket = VfioUserSocket.at(folder.resolve("source.sock"));
        socket.start(VirtioPciFunction.of(device, DmaSpace.identity(socket.memory()), socket.interrupts()));
        connect();
    }

    @AfterEach
    void close() {
        client.close();
        socket.close();
        Libc.close(first);
        Libc.close(second);
    }

    @Test
    @DisplayName("a guest with 2 vectors whose table the client emulates: masked entries that nobody has written")
    void shouldInterruptAGuestWhoseTableTheClientKeeps() {
        assertEquals(1, client.value(bar, 12, 4));
        assertEquals(1, client.value(bar, 16 + 12, 4));
        raise();
        assertEquals(1, count(second));
        messageControl(ENABLE | MASK_ALL);
        messageControl(ENABLE);
        raise();
        assertEquals(1, count(second));
        client.setIrqs(EVENTFD | TRIGGER, MSIX, 1, 1);
        raise();
        client.setIrqs(EVENTFD | TRIGGER, MSIX, 1, 1, second);
        assertEquals(1, count(second), "as such a client masks for its guest");
        assertEquals(0, count(first));
    }

    @ParameterizedTest
    @EnumSource
    @DisplayName("6.8.2.9, 6.8.3: nothing is signalled, the pending bit is 1, and unmasked it is signalled once")
    void shouldHoldAMaskedVectorBackAndSignalItOnce(Held held) {
        held.set(this, true);
        raise();
        raise();
        assertEquals(0, count(second));
        assertEquals(0b10, client.value(bar, pendingBits, 8));
        held.set(this, false);
        assertEquals(1, count(second));
        assertEquals(0, client.value(bar, pendingBits, 8));
        raise();
        assertEquals(1, count(second));
    }

    @ParameterizedTest
    @EnumSource
    void shouldClearMasksAndWhatIsPendingWhenTheClientResetsTheDevice(Held held) {
        held.set(this, true);
        raise();
        assertEquals(0, client.request(TestClient.RESET, TestClient.body(0)).errno());
        assertEquals(0, client.value(bar, pendingBits, 8));
        bringUp();
        assertEquals(0, count(second));
        raise();
        assertEquals(1, count(second), "the eventfds stay");
    }

    @ParameterizedTest
    @EnumSource
    void shouldClearMasksAndWhatIsPendingWhenTheClientLeaves(Held held) {
        held.set(this, true);
        raise();
        client.close();
        connect();
        assertEquals(0, count(second));
        raise();
        assertEquals(1, count(second));
    }

    @Test
    void shouldClearWhatItMaskedWhenMessagesAreDisabled() {
        client.setIrqs(NONE | MASK, MSIX, 0, 2);
        raise();
        assertEquals(0, client.setIrqs(NONE | TRIGGER, MSIX, 0, 0).errno());
        client.setIrqs(EVENTFD | TRIGGER, MSIX, 0, 2, first, second);
        assertEquals(0, count(second));
        raise();
        assertEquals(1, count(second));
    }

    @Test
    void shouldMaskTheVectorsThatAreMeantAndNoOther() {
        assertEquals(0, setIrqs(BOOL | MASK, 1, 0));
        raise();
        assertEquals(1, count(second), "vector 0 is masked");
        assertEquals(0, setIrqs(BOOL | MASK, 0, 1));
        raise();
        assertEquals(0, count(second));
        assertEquals(0, setIrqs(BOOL | UNMASK, 1, 0));
        assertEquals(0, count(second));
        assertEquals(0, setIrqs(BOOL | UNMASK, 0, 1));
        assertEquals(1, count(second));
    }

    private int setIrqs(int flags, int zero, int one) {
        ByteBuffer body = TestClient.body(22).putInt(22).putInt(flags).putInt(MSIX).putInt(0).putInt(2);
        return client.request(TestClient.SET_IRQS, body.put((byte) zero).put((byte) one)).errno();
    }

    private void connect() {
        client = TestClient.of(socket.path());
        client.setIrqs(EVENTFD | TRIGGER, MSIX, 0, 2, first, second);
        capability = client.capability(0x11);
        bar = (int) client.value(TestClient.CONFIG, capability + 4, 4) & 7;
        pendingBits = (int) client.value(TestClient.CONFIG, capability + 8, 4) & ~7;
        bringUp();
    }

    /** As a driver does, but for the ring: this device has no use for it. */
    private void bringUp() {
        client.write(TestClient.CONFIG, 4, 2, 6);
        messageControl(ENABLE);
        for (int status : new int[] {0, 1, 3}) {
            client.write(VIRTIO_BAR, 0x14, 1, status);
        }
        client.write(VIRTIO_BAR, 0x08, 4, 1);
        client.write(VIRTIO_BAR, 0x0c, 4, 1);
        client.write(VIRTIO_BAR, 0x14, 1, 11);
        client.write(VIRTIO_BAR, 0x10, 2, 1);
        client.write(VIRTIO_BAR, 0x14, 1, 15);
        assertEquals(15, client.value(VIRTIO_BAR, 0x14, 1));
    }

    private void messageControl(int bits) {
        client.write(TestClient.CONFIG, capability + 2, 2, bits);
    }

    private void raise() {
        device.raise();
    }
}
