// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.guestsuite;

import org.junit.jupiter.api.extension.ConditionEvaluationResult;
import org.junit.jupiter.api.extension.ExecutionCondition;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.virtio4j.harness.options.NotFetchedException;
import org.virtio4j.harness.options.UnusableGuestException;
import org.virtio4j.os.socket.LocalSockets;

/** Fetches QEMU and Linux if they are missing, and skips tests, saying why, if they cannot be had. */
final class NeedsGuest implements ExecutionCondition {

    @Override
    public ConditionEvaluationResult evaluateExecutionCondition(ExtensionContext context) {
        return Looked.RESULT;
    }

    /** Looks once for all classes: where there is no mirror it takes long to find out. */
    private static final class Looked {

        private static final ConditionEvaluationResult RESULT = look();

        private static ConditionEvaluationResult look() {
            if (!LocalSockets.takeDescriptors()) {
                return skipped("this system cannot hand descriptors over Unix sockets");
            }
            try {
                GuestBooter.fetch();
                return ConditionEvaluationResult.enabled("there is a guest");
            } catch (NotFetchedException told) {
                return skipped("neither found nor fetched: " + told.getMessage());
            } catch (UnusableGuestException unusable) {
                return skipped(String.valueOf(unusable.getMessage()));
            }
        }

        private static ConditionEvaluationResult skipped(String reason) {
            System.out.println("the guest suite is skipped: " + reason);
            return ConditionEvaluationResult.disabled(reason);
        }
    }
}
