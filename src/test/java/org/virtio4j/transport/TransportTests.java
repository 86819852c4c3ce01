// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.transport;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

/** What the tests of this package have in common: they run over each transport, on a guest of their own. */
@ParameterizedClass
@EnumSource
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
abstract class TransportTests {

    final TransportKind kind;
    final Guest guest;

    TransportTests(TransportKind kind) {
        this.kind = kind;
        this.guest = Guest.identity(kind);
    }

    @AfterEach
    void closeGuest() {
        guest.close();
    }

    /** Skips a test about what cannot be read back here. */
    void assumeShown(Register register) {
        assumeTrue(guest.port.shows(register), () -> register + " cannot be read on " + kind);
    }

    /** Skips a value that cannot be written here. */
    void assumeFits(Register register, long value) {
        assumeTrue(guest.port.fits(register, value),
                () -> register + " of " + kind + " is too narrow for 0x" + Long.toHexString(value));
    }

    /** Skips what needs a queue that is disabled without a reset. */
    void assumeDisabling(boolean needed) {
        assumeTrue(!needed || kind.disablesQueues(), () -> "no queue can be disabled on " + kind + " but by a reset");
    }
}
