// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.vfiouser;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.virtio4j.vfiouser.SetIrqs.BOOL;
import static org.virtio4j.vfiouser.SetIrqs.EVENTFD;
import static org.virtio4j.vfiouser.SetIrqs.MSIX;
import static org.virtio4j.vfiouser.SetIrqs.NONE;
import static org.virtio4j.vfiouser.SetIrqs.TRIGGER;

import java.nio.ByteBuffer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * What the client and the tests of the protocol's reference library ask for, answered as they expect it. Left out is
 * what they know of that library alone: its limits of windows, its callbacks, its reading of the text in VERSION, and a
 * second connection beside the first.
 */
@Timeout(60)
class ReferenceClientTest extends ServedTest {

    private final int first = Libc.eventfd();
    private final int second = Libc.eventfd();

    @AfterEach
    void close() {
        Libc.close(first);
        Libc.close(second);
    }

    @Test
    void shouldAnswerForEachKindOfInterruptThatItAnnouncedAndNoOther() {
        int kinds = info(TestClient.GET_INFO, 16).getInt(12);
        for (int index = 0; index < kinds; index++) {
            assertEquals(index, irq(index).body().getInt(8));
        }
        assertEquals(TestClient.EINVAL, irq(kinds).errno(), "QEMU takes that for none");
    }

    @ParameterizedTest
    @ValueSource(ints = {16, 24, 4096})
    void shouldAnswerWithWhatThereIsWhateverMoreThereIsRoomFor(int room) {
        ByteBuffer device = info(TestClient.GET_INFO, room);
        assertEquals(16, device.capacity());
        assertEquals(16, device.getInt(0));
        ByteBuffer irq = client.request(TestClient.GET_IRQ_INFO,
                TestClient.body(16).putInt(room).putInt(0).putInt(MSIX)).body();
        assertEquals(16, irq.capacity());
        assertEquals(16, irq.getInt(0));
        ByteBuffer region = client.request(TestClient.GET_REGION_INFO,
                TestClient.body(32).putInt(room + 16).putInt(0).putInt(TestClient.CONFIG)).body();
        assertEquals(32, region.capacity());
        assertEquals(32, region.getInt(0));
        assertEquals(3, region.getInt(4));
        assertEquals(4096, region.getLong(16), "a PCI Express function");
    }

    @ParameterizedTest
    @ValueSource(ints = {TestClient.GET_INFO, TestClient.GET_REGION_INFO, TestClient.GET_IRQ_INFO,
        TestClient.SET_IRQS, TestClient.DMA_MAP, TestClient.DMA_UNMAP})
    void shouldRefuseABodyThatIsCutShortOrNamesTooLittle(int command) {
        assertEquals(TestClient.EINVAL, client.request(command, TestClient.body(0)).errno());
        assertEquals(TestClient.EINVAL, client.request(command, TestClient.body(8)).errno());
        assertEquals(TestClient.EINVAL, client.request(command, TestClient.body(32).putInt(8)).errno());
    }

    @ParameterizedTest
    @CsvSource({
        "33, 5, 0, 0", "24, 2, 0, 0", "11, 2, 0, 0", "9, 2, 3, 1", "9, 2, 2, 2", "36, 2, 1, -1", "9, 3, 0, 1",
        "9, 4, 0, 1", "33, 3, 0, 2", "33, 4, 0, 2", "9, 2, 1, 0", "9, 2, 0, 0", "34, 2, 0, 0"
    })
    void shouldRefuseInterruptsThatMakeNoSense(int flags, int index, int start, int count) {
        assertEquals(TestClient.EINVAL, client.setIrqs(flags, index, start, count).errno());
    }

    @Test
    void shouldRefuseDescriptorsWhereNoneBelongAndCloseThem() {
        long before = OpenThings.now().descriptors();
        assertEquals(TestClient.EINVAL, setIrqs(BOOL | TRIGGER, 1, new byte[1], first).errno());
        assertEquals(TestClient.EINVAL, setIrqs(NONE | TRIGGER, 1, new byte[0], first).errno());
        assertEquals(TestClient.EINVAL, setIrqs(EVENTFD | TRIGGER, 2, new byte[0], first).errno());
        assertEquals(TestClient.EINVAL, setIrqs(BOOL | TRIGGER, 1, new byte[0], first, second).errno());
        client.value(TestClient.CONFIG, 0, 2); // behind the last one's end
        assertEquals(before, OpenThings.now().descriptors());
    }

    @Test
    void shouldTriggerWhatItIsToldTo() {
        assertEquals(0, setIrqs(EVENTFD | TRIGGER, 2, new byte[0], first, second).errno());
        assertEquals(TestClient.EINVAL, setIrqs(BOOL | TRIGGER, 2, new byte[1]).errno());
        assertEquals(TestClient.EINVAL, setIrqs(BOOL | TRIGGER, 2, new byte[3]).errno());
        assertEquals(0, setIrqs(BOOL | TRIGGER, 2, new byte[] {0, 1}).errno());
        assertEquals(0, Libc.read(first, 8).length);
        assertEquals(8, Libc.read(second, 8).length);
        assertEquals(0, client.setIrqs(NONE | TRIGGER, MSIX, 1, 1).errno());
        assertEquals(8, Libc.read(second, 8).length);
        assertEquals(0, client.setIrqs(EVENTFD | TRIGGER, MSIX, 0, 1).errno(), "without one it is taken back");
        assertEquals(0, client.setIrqs(NONE | TRIGGER, MSIX, 0, 0).errno());
    }

    @Test
    void shouldMaskAVectorWhenItIsToldTo() {
        assertEquals(0, client.setIrqs(NONE | 8, MSIX, 0, 1).errno());
        assertEquals(0, client.setIrqs(NONE | 16, MSIX, 0, 1).errno());
    }

    @Test
    void shouldShowTheSizesOfItsBarsWhenTheirRegistersAreWritten() {
        for (int bar = 0; bar < 6; bar++) {
            ByteBuffer region = client.request(TestClient.GET_REGION_INFO,
                    TestClient.body(32).putInt(32).putInt(0).putInt(bar)).body();
            long size = region.getLong(16);
            if (size > 0) {
                int register = 0x10 + 4 * bar;
                long low = ones(register);
                boolean wide = (low & 6) == 4;
                long mask = wide ? (ones(register + 4) << 32) | (low & ~0xfL) : low & ~0xfL;
                assertEquals(size, -mask & (wide ? -1L : 0xffff_ffffL), "BAR " + bar);
            }
        }
        assertNotEquals(0, served.function.barSize(4));
    }

    private long ones(int register) {
        long before = client.value(TestClient.CONFIG, register, 4);
        client.write(TestClient.CONFIG, register, 4, 0xffff_ffffL);
        long found = client.value(TestClient.CONFIG, register, 4);
        client.write(TestClient.CONFIG, register, 4, before);
        return found;
    }

    private ByteBuffer info(int command, int room) {
        return client.request(command, TestClient.body(16).putInt(room)).body();
    }

    private TestClient.Answer irq(int index) {
        return client.request(TestClient.GET_IRQ_INFO, TestClient.body(16).putInt(16).putInt(0).putInt(index));
    }

    private TestClient.Answer setIrqs(int flags, int count, byte[] data, int... descriptors) {
        ByteBuffer body = TestClient.body(20 + data.length).putInt(20 + data.length).putInt(flags).putInt(MSIX)
                .putInt(0).putInt(count).put(data);
        return client.request(TestClient.SET_IRQS, body, descriptors);
    }
}
