// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.vfiouser;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.virtio4j.vfiouser.SetIrqs.BOOL;
import static org.virtio4j.vfiouser.SetIrqs.EVENTFD;
import static org.virtio4j.vfiouser.SetIrqs.MASK;
import static org.virtio4j.vfiouser.SetIrqs.MSI;
import static org.virtio4j.vfiouser.SetIrqs.MSIX;
import static org.virtio4j.vfiouser.SetIrqs.NONE;
import static org.virtio4j.vfiouser.SetIrqs.PIN;
import static org.virtio4j.vfiouser.SetIrqs.TRIGGER;
import static org.virtio4j.vfiouser.SetIrqs.UNMASK;
import static org.virtio4j.vfiouser.SetIrqs.count;

import java.nio.ByteBuffer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.virtio4j.vmm.InterruptLine;
import org.virtio4j.vmm.InterruptSink;

@Timeout(60)
class InterruptTest extends ServedTest {

    private InterruptSink vectors;
    private InterruptLine pin;
    private final int first = Libc.eventfd();
    private final int second = Libc.eventfd();

    @BeforeEach
    void connect() {
        vectors = served.socket.interrupts().vectors().orElseThrow();
        pin = served.socket.interrupts().pin().orElseThrow();
    }

    @AfterEach
    void close() {
        Libc.close(first);
        Libc.close(second);
    }

    @Test
    void shouldSignalTheEventfdOfTheVector() {
        assertEquals(0, client.setIrqs(EVENTFD | TRIGGER, MSIX, 0, 2, first, second).errno());
        vectors.raise(1);
        vectors.raise(1);
        vectors.raise(0);
        assertEquals(1, count(first));
        assertEquals(2, count(second));
    }

    @Test
    void shouldKeepAVectorPendingUntilItHasAnEventfd() {
        vectors.raise(1);
        vectors.raise(1);
        client.setIrqs(EVENTFD | TRIGGER, MSIX, 1, 1, first);
        assertEquals(1, count(first));
        client.setIrqs(EVENTFD | TRIGGER, MSIX, 1, 1, second);
        assertEquals(0, count(second), "it was delivered");
    }

    @Test
    void shouldSignalNothingMoreWhenTheEventfdIsTakenAway() {
        client.setIrqs(EVENTFD | TRIGGER, MSIX, 0, 2, first, second);
        assertEquals(0, client.setIrqs(EVENTFD | TRIGGER, MSIX, 0, 1).errno());
        vectors.raise(0);
        vectors.raise(1);
        assertEquals(0, count(first));
        assertEquals(1, count(second));
    }

    @Test
    void shouldClearVectorsAndWhatIsPendingWhenMessagesAreDisabled() {
        client.setIrqs(EVENTFD | TRIGGER, MSIX, 0, 1, first);
        vectors.raise(1);
        assertEquals(0, client.setIrqs(NONE | TRIGGER, MSIX, 0, 0).errno());
        vectors.raise(0);
        client.setIrqs(NONE | TRIGGER, MSIX, 0, 0);
        client.setIrqs(EVENTFD | TRIGGER, MSIX, 0, 2, first, second);
        assertEquals(0, count(first));
        assertEquals(0, count(second));
    }

    @Test
    void shouldWithdrawWhatIsPendingButNoEventfdWhenTheDeviceIsReset() {
        client.setIrqs(EVENTFD | TRIGGER, MSIX, 0, 1, first);
        vectors.raise(1);
        client.request(TestClient.RESET, TestClient.body(0));
        client.setIrqs(EVENTFD | TRIGGER, MSIX, 1, 1, second);
        assertEquals(0, count(second));
        vectors.raise(0);
        assertEquals(1, count(first));
    }

    @Test
    void shouldWithdrawOneVectorAndNoOther() {
        vectors.raise(0);
        vectors.raise(1);
        vectors.withdraw(0);
        client.setIrqs(EVENTFD | TRIGGER, MSIX, 0, 2, first, second);
        assertEquals(0, count(first));
        assertEquals(1, count(second));
        vectors.raise(0);
        vectors.withdraw(0);
        assertEquals(1, count(first), "it was delivered");
    }

    @Test
    void shouldGiveTheEventfdsBackWhenTheyAreReplacedAndWhenTheClientLeaves() {
        OpenThings before = OpenThings.now();
        for (int i = 0; i < 10; i++) {
            client.setIrqs(EVENTFD | TRIGGER, MSIX, 0, 2, first, second);
            client.setIrqs(EVENTFD | TRIGGER, PIN, 0, 1, first);
        }
        assertEquals(before.descriptors() + 3, OpenThings.now().descriptors());
        client.close();
        OpenThings.awaitNoMoreThan(new OpenThings(before.descriptors() - 2, before.mappings(), before.threads()));
        client = served.connect();
    }

    @Test
    void shouldSignalAHighPinOnceUntilItIsUnmasked() {
        client.setIrqs(EVENTFD | TRIGGER, PIN, 0, 1, first);
        pin.set(true);
        pin.set(true);
        assertEquals(1, count(first));
        assertEquals(0, client.setIrqs(NONE | UNMASK, PIN, 0, 1).errno());
        assertEquals(1, count(first), "still high");
        pin.set(false);
        client.setIrqs(NONE | UNMASK, PIN, 0, 1);
        assertEquals(0, count(first));
        pin.set(true);
        assertEquals(1, count(first));
    }

    @Test
    void shouldHoldThePinBackWhileItIsMasked() {
        client.setIrqs(EVENTFD | TRIGGER, PIN, 0, 1, first);
        assertEquals(0, client.setIrqs(NONE | MASK, PIN, 0, 1).errno());
        pin.set(true);
        assertEquals(0, count(first));
        client.setIrqs(NONE | UNMASK, PIN, 0, 1);
        assertEquals(1, count(first));
    }

    @Test
    void shouldSignalAPinThatWasHighBeforeItHadAnEventfd() {
        pin.set(true);
        client.setIrqs(EVENTFD | TRIGGER, PIN, 0, 1, first);
        assertEquals(1, count(first));
        assertEquals(0, client.setIrqs(NONE | TRIGGER, PIN, 0, 0).errno(), "disabled");
        client.setIrqs(EVENTFD | TRIGGER, PIN, 0, 1, second);
        assertEquals(0, count(first));
        assertEquals(1, count(second));
    }

    @Test
    void shouldLetTheClientTryItsInterrupts() {
        client.setIrqs(EVENTFD | TRIGGER, MSIX, 0, 2, first, second);
        assertEquals(0, client.setIrqs(NONE | TRIGGER, MSIX, 0, 2).errno());
        assertEquals(1, count(first));
        assertEquals(1, count(second));
        ByteBuffer body = TestClient.body(22).putInt(22).putInt(BOOL | TRIGGER).putInt(MSIX).putInt(0).putInt(2);
        assertEquals(0, client.request(TestClient.SET_IRQS, body.put((byte) 0).put((byte) 1)).errno());
        assertEquals(0, count(first));
        assertEquals(1, count(second));
    }

    @ParameterizedTest
    @CsvSource({
        "36, 3, 0, 1", "36, 4, 0, 1", "36, 1, 0, 1", "36, 2, 0, 4", "36, 2, 3, 1", "36, 2, -1, 1", "36, 2, 1, -1",
        "36, 0, 1, 1", "36, -1, 0, 1", "37, 2, 0, 1", "38, 2, 0, 1", "4, 2, 0, 1", "32, 2, 0, 1", "60, 2, 0, 1",
        "100, 2, 0, 1", "36, 2, 0, 2", "36, 2, 0, 0", "33, 2, 0, 1", "0, 0, 0, 0"
    })
    void shouldRefuseWhatMakesNoSense(int flags, int index, int start, int count) {
        assertEquals(TestClient.EINVAL, client.setIrqs(flags, index, start, count, first).errno());
        vectors.raise(0);
        assertEquals(0, count(first));
    }

    @Test
    void shouldRefuseWhatThereIsNothingOfToMask() {
        assertEquals(TestClient.EINVAL, client.setIrqs(NONE | MASK, MSIX, 0, 0).errno());
        assertEquals(TestClient.EINVAL, client.setIrqs(NONE | UNMASK, MSIX, 2, 2).errno());
        assertEquals(TestClient.EINVAL, client.setIrqs(NONE | MASK, MSI, 0, 1).errno());
        assertEquals(TestClient.ENOTSUP, client.setIrqs(EVENTFD | UNMASK, MSIX, 0, 1, first).errno());
        assertEquals(TestClient.EINVAL, client.setIrqs(NONE | TRIGGER, MSI, 0, 0).errno());
        assertEquals(TestClient.ENOTSUP, client.setIrqs(EVENTFD | UNMASK, PIN, 0, 1, first).errno());
    }

    @Test
    void shouldRefuseADescriptorThatIsNoEventfdAndChangeNothing() {
        client.setIrqs(EVENTFD | TRIGGER, MSIX, 0, 1, first);
        int memfd = Libc.memfd(4096, Libc.SEAL_SHRINK);
        assertEquals(TestClient.EINVAL,
                client.setIrqs(EVENTFD | TRIGGER, MSIX, 0, 2, second, memfd).errno());
        assertEquals(TestClient.EINVAL,
                client.setIrqs(EVENTFD | TRIGGER, MSIX, 0, 1, client.fd()).errno());
        vectors.raise(0);
        assertEquals(1, count(first));
        Libc.close(memfd);
    }

    @Test
    void shouldNotWaitForEverForAClientThatLetsAnEventfdBlock() {
        client.setIrqs(EVENTFD | TRIGGER, MSIX, 0, 1, first);
        client.setIrqs(EVENTFD | TRIGGER, PIN, 0, 1, second);
        Libc.fillAndBlock(first);
        vectors.raise(0);
        Libc.fillAndBlock(second);
        pin.set(true);
        assertEquals(1, count(first));
        assertEquals(1, count(second));
    }

    @Test
    void shouldServeTheNextClientWhenAnEventfdBlocksTheSocketsThread() {
        client.setIrqs(EVENTFD | TRIGGER, MSIX, 0, 1, first);
        Libc.fillAndBlock(first);
        client.post(TestClient.SET_IRQS, TestClient.body(20).putInt(20).putInt(NONE | TRIGGER).putInt(MSIX).putInt(0)
                .putInt(1));
        client.close();
        client = served.connect();
        assertEquals(0x1af4, client.value(TestClient.CONFIG, 0, 2));
    }
}
