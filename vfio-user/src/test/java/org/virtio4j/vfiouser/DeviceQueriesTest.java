// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.vfiouser;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.ByteBuffer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class DeviceQueriesTest extends ServedTest {

    @Test
    void shouldSayThatItIsAPciFunctionWithAReset() {
        ByteBuffer info = client.request(TestClient.GET_INFO, TestClient.body(16).putInt(16)).body();
        assertEquals(16, info.getInt(0));
        assertEquals(3, info.getInt(4));
        assertEquals(9, info.getInt(8), "regions");
        assertEquals(3, info.getInt(12), "interrupts");
    }

    @Test
    void shouldDescribeEveryRegionAndGiveAbsentOnesNoSize() {
        for (int index = 0; index < 9; index++) {
            ByteBuffer info = region(index).body();
            long size = index == TestClient.CONFIG ? 4096 : served.function.barSize(index);
            assertEquals(32, info.getInt(0));
            assertEquals(size == 0 ? 0 : 3, info.getInt(4));
            assertEquals(index, info.getInt(8));
            assertEquals(size, info.getLong(16), "region " + index);
        }
        assertEquals(0x4000, served.function.barSize(4));
    }

    @Test
    void shouldRefuseARegionThatThereIsNot() {
        assertEquals(TestClient.EINVAL, region(9).errno());
        assertEquals(TestClient.EINVAL, region(-1).errno());
    }

    @Test
    void shouldDescribePinAndVectorsAndNoOtherInterrupt() {
        assertIrq(0, 7, 1);
        assertIrq(1, 1, 0);
        assertIrq(2, 3, served.function.vectorCount());
        assertEquals(TestClient.EINVAL, irq(3).errno());
        assertEquals(TestClient.EINVAL, irq(4).errno());
        assertEquals(TestClient.EINVAL, irq(-1).errno());
    }

    @Test
    void shouldRefuseWhenThereIsNoRoomForTheAnswer() {
        assertEquals(TestClient.EINVAL,
                client.request(TestClient.GET_INFO, TestClient.body(16).putInt(15)).errno());
        assertEquals(TestClient.EINVAL, client.request(TestClient.GET_INFO, TestClient.body(4).putInt(16)).errno());
        assertEquals(TestClient.EINVAL,
                client.request(TestClient.GET_REGION_INFO, TestClient.body(32).putInt(31)).errno());
        assertEquals(TestClient.EINVAL,
                client.request(TestClient.GET_IRQ_INFO, TestClient.body(16).putInt(0)).errno());
    }

    private TestClient.Answer region(int index) {
        return client.request(TestClient.GET_REGION_INFO, TestClient.body(32).putInt(32).putInt(0).putInt(index));
    }

    private TestClient.Answer irq(int index) {
        return client.request(TestClient.GET_IRQ_INFO, TestClient.body(16).putInt(16).putInt(0).putInt(index));
    }

    private void assertIrq(int index, int flags, int count) {
        ByteBuffer info = irq(index).body();
        assertEquals(flags, info.getInt(4));
        assertEquals(index, info.getInt(8));
        assertEquals(count, info.getInt(12));
    }
}
