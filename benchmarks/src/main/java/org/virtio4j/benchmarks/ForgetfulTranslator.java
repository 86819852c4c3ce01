// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.benchmarks;

import org.virtio4j.dma.translate.ExtentSink;
import org.virtio4j.dma.translate.TranslateResult;
import org.virtio4j.dma.translate.Translator;
import org.virtio4j.vmm.Access;
import org.virtio4j.vmm.grace.ReaderSlot;

/** Another translator, but its handles remember nothing from section to section, so that the table is measured. */
final class ForgetfulTranslator implements Translator {

    private final Translator translator;

    ForgetfulTranslator(Translator translator) {
        this.translator = translator;
    }

    @Override
    public TranslateResult translate(long iova, Access access, ExtentSink out) {
        return translator.translate(iova, access, out);
    }

    @Override
    public long generation() {
        return translator.generation();
    }

    @Override
    public void join(ReaderSlot slot) {
        translator.join(slot);
    }

    @Override
    public void part(ReaderSlot slot) {
        translator.part(slot);
    }

    @Override
    public void faulted(TranslateResult reason, long iova, Access access) {
        translator.faulted(reason, iova, access);
    }
}
