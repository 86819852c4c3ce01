// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.vfiouser;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * A function cannot be migrated or saved: nothing offers it, and every message that belongs to it is refused as not
 * supported. No more can be done at a socket. QEMU 11.1.3 asks for none of this: its {@code savevm}, {@code loadvm} and
 * {@code migrate} end well with a {@code vfio-user-pci} device, and leave what the server holds out of what they save.
 */
@Timeout(60)
class MigrationTest extends ServedTest {

    private static final int DIRTY_PAGES = 14;
    private static final int DEVICE_FEATURE = 16;
    private static final int MIG_DATA_READ = 17;
    private static final int MIG_DATA_WRITE = 18;

    /** Of VFIO's device features: what is asked, and how. */
    private static final int MIGRATION = 1;
    private static final int MIGRATION_STATE = 2;
    private static final int LOGGING_START = 6;
    private static final int GET = 1 << 16;
    private static final int SET = 1 << 17;
    private static final int PROBE = 1 << 18;

    private static final int UNMAP_WITH_DIRTY_BITMAP = 1;

    @Override
    TestClient connect(Served with) {
        return new TestClient(with.socket.path());
    }

    @Test
    void shouldNotOfferMigrationToAClientThatCanDoIt() {
        String qemu = "{\"capabilities\":{\"max_msg_fds\":16,\"migration\":{\"pgsize\":4096,\"max_bitmap_size\":"
                + "268435456}}}";
        ByteBuffer answer = client.version(qemu).body();
        assertFalse(StandardCharsets.US_ASCII.decode(answer).toString().contains("migration"));
    }

    @ParameterizedTest
    @ValueSource(ints = {GET | MIGRATION, PROBE | GET | MIGRATION, GET | MIGRATION_STATE, SET | MIGRATION_STATE,
        PROBE | SET | MIGRATION_STATE, SET | LOGGING_START, PROBE | 10})
    void shouldNotSupportDeviceFeatures(int flags) {
        client.version("{}");
        ByteBuffer feature = TestClient.body(24).putInt(24).putInt(flags).putLong(0).putLong(0);
        assertEquals(TestClient.ENOTSUP, client.request(DEVICE_FEATURE, feature).errno());
        assertGoesOn();
    }

    @ParameterizedTest
    @ValueSource(ints = {DIRTY_PAGES, MIG_DATA_READ, MIG_DATA_WRITE})
    void shouldNotSupportStateOrItsLog(int command) {
        client.version("{}");
        ByteBuffer request = TestClient.body(24).putInt(24).putInt(16).putLong(0).putLong(0);
        assertEquals(TestClient.ENOTSUP, client.request(command, request).errno());
        assertGoesOn();
    }

    @Test
    void shouldNotSupportTheLogOfAWindowThatIsTakenAway() {
        int memory = Libc.memfd(0x1000, Libc.SEAL_SHRINK);
        client.version("{}");
        client.map(0, 0x1000, 0, 3, memory);
        assertEquals(TestClient.ENOTSUP, client.unmap(0, 0x1000, UNMAP_WITH_DIRTY_BITMAP).errno());
        assertEquals(1, served.socket.windows());
        Libc.close(memory);
    }

    private void assertGoesOn() {
        assertEquals(0x1af4, client.value(TestClient.CONFIG, 0, 2));
    }
}
