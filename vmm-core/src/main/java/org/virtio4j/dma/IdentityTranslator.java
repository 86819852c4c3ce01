// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.dma;

import org.virtio4j.dma.translate.ExtentSink;
import org.virtio4j.dma.translate.TranslateResult;
import org.virtio4j.dma.translate.Translator;
import org.virtio4j.vmm.Access;
import org.virtio4j.vmm.grace.ReaderSlot;

/** Every address means itself, always: nothing is taken away, so there is nobody to wait for. */
final class IdentityTranslator implements Translator {

    static final IdentityTranslator INSTANCE = new IdentityTranslator();

    private static final long LAST = -1;

    private IdentityTranslator() {
    }

    @Override
    public TranslateResult translate(long iova, Access access, ExtentSink out) {
        out.extent(0, LAST, 0, Access.READ.mask() | Access.WRITE.mask());
        return TranslateResult.OK;
    }

    @Override
    public long generation() {
        return 0;
    }

    @Override
    public void join(ReaderSlot slot) {
        // Nothing is ever taken away.
    }

    @Override
    public void part(ReaderSlot slot) {
        // See join.
    }

    @Override
    public void faulted(TranslateResult reason, long iova, Access access) {
        throw new IllegalStateException("reason=" + reason + ", but the identity refuses nothing");
    }
}
