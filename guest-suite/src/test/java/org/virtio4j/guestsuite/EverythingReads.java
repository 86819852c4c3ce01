// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.guestsuite;

import org.virtio4j.dma.translate.ExtentSink;
import org.virtio4j.dma.translate.TranslateResult;
import org.virtio4j.dma.translate.Translator;
import org.virtio4j.vmm.Access;
import org.virtio4j.vmm.grace.ReaderSlot;

/**
 * A translator that has no check of permissions: where one may read, one may write.
 *
 * @param checked the translator that has
 */
record EverythingReads(Translator checked) implements Translator {

    @Override
    public TranslateResult translate(long iova, Access access, ExtentSink out) {
        TranslateResult result = checked.translate(iova, Access.READ, out);
        return result == TranslateResult.OK ? result : checked.translate(iova, access, out);
    }

    @Override
    public long generation() {
        return checked.generation();
    }

    @Override
    public void join(ReaderSlot slot) {
        checked.join(slot);
    }

    @Override
    public void part(ReaderSlot slot) {
        checked.part(slot);
    }

    @Override
    public void faulted(TranslateResult reason, long iova, Access access) {
        checked.faulted(reason, iova, access);
    }
}
