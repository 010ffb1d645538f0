//! The functions, as jumps through the table.
#![allow(
    unsafe_code,
    reason = "defines functions in assembly, and the table that they read"
)]

use std::sync::atomic::AtomicPtr;

/// Defines the functions of these names, and the table: an address for each, in the order of the names.
macro_rules! functions {
    ($($name:ident)*) => {
        /// The names, in the order of the table.
        pub(super) const NAMES: &[&str] = &[$(stringify!($name)),*];

        std::arch::global_asm!(
            ".pushsection .data.airssys_wasm_llvm,\"aw\",@progbits",
            ".balign 8",
            ".globl airssys_wasm_llvm_table",
            ".hidden airssys_wasm_llvm_table",
            "airssys_wasm_llvm_table:",
            $(concat!(".Lairssys_wasm_", stringify!($name), ": .8byte {unloaded}"),)*
            ".popsection",
            ".pushsection .text.airssys_wasm_llvm,\"ax\",@progbits",
            $(concat!(
                ".globl ", stringify!($name), "\n",
                ".hidden ", stringify!($name), "\n",
                ".type ", stringify!($name), ",@function\n",
                ".balign 4\n",
                stringify!($name), ":\n",
                jump!(stringify!($name)), "\n",
                ".size ", stringify!($name), ", . - ", stringify!($name),
            ),)*
            ".popsection",
            unloaded = sym unloaded,
        );
    };
}

/// A jump to the function at a table's entry. It changes no register that arguments are passed in.
#[cfg(target_arch = "x86_64")]
macro_rules! jump {
    ($name:expr) => {
        concat!("jmp qword ptr [rip + .Lairssys_wasm_", $name, "]")
    };
}

/// A jump to the function at a table's entry. It changes no register that arguments are passed in: x16 is for such jumps.
#[cfg(target_arch = "aarch64")]
macro_rules! jump {
    ($name:expr) => {
        concat!(
            "adrp x16, .Lairssys_wasm_",
            $name,
            "\n",
            "ldr x16, [x16, :lo12:.Lairssys_wasm_",
            $name,
            "]\n",
            "br x16"
        )
    };
}

unsafe extern "C" {
    /// The table in the assembly below.
    #[link_name = "airssys_wasm_llvm_table"]
    static TABLE: [AtomicPtr<()>; NAMES.len()];
}

/// Returns the table: the addresses of the functions, in the order of [`NAMES`].
pub(super) fn table() -> &'static [AtomicPtr<()>] {
    // SAFETY: The assembly defines an address for each name, in memory that may be written. Addresses are atomic, and are set
    // before any function is called.
    unsafe { &TABLE }
}

/// Ends the process: a function was called before the library was loaded, so there is nothing to call.
extern "C" fn unloaded() -> ! {
    eprintln!("LLVM is used before it is loaded: airssys_wasm_llvm::load comes first");
    std::process::abort()
}

functions! {
    LLVMABIAlignmentOfType LLVMABISizeOfType LLVMAddAttributeAtIndex LLVMAddCallSiteAttribute LLVMAddCase LLVMAddClause
    LLVMAddFunction LLVMAddGlobal LLVMAddGlobalInAddressSpace LLVMAddGlobalMapping LLVMAddIncoming LLVMAddModule
    LLVMAddModuleFlag LLVMAddNamedMetadataOperand LLVMAlignOf LLVMAppendBasicBlockInContext LLVMAppendExistingBasicBlock
    LLVMArrayType LLVMBFloatTypeInContext LLVMBasicBlockAsValue LLVMBinaryCopyMemoryBuffer LLVMBinaryGetType
    LLVMBlockAddress LLVMBuildAShr LLVMBuildAdd LLVMBuildAddrSpaceCast LLVMBuildAggregateRet LLVMBuildAlloca
    LLVMBuildAnd LLVMBuildAtomicCmpXchg LLVMBuildAtomicRMW LLVMBuildBitCast LLVMBuildBr LLVMBuildCall2
    LLVMBuildCallWithOperandBundles LLVMBuildCondBr LLVMBuildExtractElement LLVMBuildExtractValue LLVMBuildFCmp
    LLVMBuildFNeg LLVMBuildFPExt LLVMBuildFPToSI LLVMBuildFPToUI LLVMBuildFPTrunc LLVMBuildFence LLVMBuildFree
    LLVMBuildGEP2 LLVMBuildGlobalString LLVMBuildICmp LLVMBuildInBoundsGEP2 LLVMBuildInsertElement LLVMBuildInsertValue
    LLVMBuildIntCast LLVMBuildInvoke2 LLVMBuildIsNotNull LLVMBuildIsNull LLVMBuildLShr LLVMBuildLandingPad
    LLVMBuildLoad2 LLVMBuildMemCpy LLVMBuildMemMove LLVMBuildMemSet LLVMBuildMul LLVMBuildNeg LLVMBuildNot LLVMBuildOr
    LLVMBuildPhi LLVMBuildPointerCast LLVMBuildPtrToInt LLVMBuildRet LLVMBuildRetVoid LLVMBuildSDiv LLVMBuildSExt
    LLVMBuildSIToFP LLVMBuildSRem LLVMBuildSelect LLVMBuildShl LLVMBuildShuffleVector LLVMBuildStore LLVMBuildStructGEP2
    LLVMBuildSub LLVMBuildSwitch LLVMBuildTrunc LLVMBuildUDiv LLVMBuildUIToFP LLVMBuildURem LLVMBuildUnreachable
    LLVMBuildXor LLVMBuildZExt LLVMByteOrder LLVMCallFrameAlignmentOfType LLVMCanValueUseFastMathFlags
    LLVMClearInsertionPosition LLVMCloneModule LLVMConstAdd LLVMConstAddrSpaceCast LLVMConstAllOnes LLVMConstArray2
    LLVMConstBitCast LLVMConstExtractElement LLVMConstInt LLVMConstIntGetSExtValue LLVMConstIntGetZExtValue
    LLVMConstIntOfArbitraryPrecision LLVMConstIntOfStringAndSize LLVMConstIntToPtr LLVMConstNSWAdd LLVMConstNSWNeg
    LLVMConstNSWSub LLVMConstNUWAdd LLVMConstNUWSub LLVMConstNamedStruct LLVMConstNeg LLVMConstNot LLVMConstNull
    LLVMConstPointerCast LLVMConstPointerNull LLVMConstPtrToInt LLVMConstReal LLVMConstRealGetDouble
    LLVMConstRealOfStringAndSize LLVMConstShuffleVector LLVMConstStringInContext2 LLVMConstStructInContext LLVMConstSub
    LLVMConstTrunc LLVMConstTruncOrBitCast LLVMConstVector LLVMConstXor LLVMContextCreate LLVMContextDispose
    LLVMContextSetDiagnosticHandler LLVMCopyStringRepOfTargetData LLVMCountBasicBlocks LLVMCountIncoming
    LLVMCountParamTypes LLVMCountParams LLVMCountStructElementTypes LLVMCreateBinary LLVMCreateBuilderInContext
    LLVMCreateDIBuilder LLVMCreateDIBuilderDisallowUnresolved LLVMCreateEnumAttribute LLVMCreateExecutionEngineForModule
    LLVMCreateGenericValueOfFloat LLVMCreateGenericValueOfInt LLVMCreateInterpreterForModule
    LLVMCreateJITCompilerForModule LLVMCreateMemoryBufferWithContentsOfFile LLVMCreateMemoryBufferWithMemoryRange
    LLVMCreateMemoryBufferWithMemoryRangeCopy LLVMCreateMemoryBufferWithSTDIN LLVMCreateMessage LLVMCreateOperandBundle
    LLVMCreatePassBuilderOptions LLVMCreateStringAttribute LLVMCreateTargetData LLVMCreateTargetDataLayout
    LLVMCreateTargetMachine LLVMCreateTargetMachineOptions LLVMCreateTargetMachineWithOptions LLVMCreateTypeAttribute
    LLVMDIBuilderCreateArrayType LLVMDIBuilderCreateAutoVariable LLVMDIBuilderCreateBasicType
    LLVMDIBuilderCreateCompileUnit LLVMDIBuilderCreateConstantValueExpression LLVMDIBuilderCreateDebugLocation
    LLVMDIBuilderCreateEnumerationType LLVMDIBuilderCreateEnumerator LLVMDIBuilderCreateExpression
    LLVMDIBuilderCreateFile LLVMDIBuilderCreateFunction LLVMDIBuilderCreateGlobalVariableExpression
    LLVMDIBuilderCreateLexicalBlock LLVMDIBuilderCreateMemberType LLVMDIBuilderCreateNameSpace
    LLVMDIBuilderCreateParameterVariable LLVMDIBuilderCreatePointerType LLVMDIBuilderCreateReferenceType
    LLVMDIBuilderCreateStructType LLVMDIBuilderCreateSubroutineType LLVMDIBuilderCreateTypedef
    LLVMDIBuilderCreateUnionType LLVMDIBuilderFinalize LLVMDIBuilderGetOrCreateSubrange
    LLVMDIBuilderInsertDbgValueRecordBefore LLVMDIBuilderInsertDeclareRecordAtEnd LLVMDIBuilderInsertDeclareRecordBefore
    LLVMDILocationGetColumn LLVMDILocationGetLine LLVMDILocationGetScope LLVMDITypeGetAlignInBits
    LLVMDITypeGetOffsetInBits LLVMDITypeGetSizeInBits LLVMDebugMetadataVersion LLVMDeleteBasicBlock LLVMDeleteFunction
    LLVMDeleteGlobal LLVMDisposeBinary LLVMDisposeBuilder LLVMDisposeDIBuilder LLVMDisposeExecutionEngine
    LLVMDisposeGenericValue LLVMDisposeMemoryBuffer LLVMDisposeMessage LLVMDisposeModule LLVMDisposeOperandBundle
    LLVMDisposePassBuilderOptions LLVMDisposeRelocationIterator LLVMDisposeSectionIterator LLVMDisposeSymbolIterator
    LLVMDisposeTargetData LLVMDisposeTargetMachine LLVMDisposeTargetMachineOptions LLVMDoubleTypeInContext
    LLVMDumpModule LLVMDumpValue LLVMElementAtOffset LLVMEnablePrettyStackTrace LLVMFP128TypeInContext
    LLVMFinalizeFunctionPassManager LLVMFindFunction LLVMFloatTypeInContext LLVMFreeMachineCodeForFunction
    LLVMFunctionType LLVMGenericValueIntWidth LLVMGenericValueToFloat LLVMGenericValueToInt LLVMGetAlignment
    LLVMGetAllocatedType LLVMGetArrayLength LLVMGetAsString LLVMGetAtomicRMWBinOp LLVMGetAttributeCountAtIndex
    LLVMGetAttributesAtIndex LLVMGetBasicBlockName LLVMGetBasicBlockParent LLVMGetBasicBlockTerminator
    LLVMGetBasicBlocks LLVMGetBufferSize LLVMGetBufferStart LLVMGetCallSiteAttributeCount LLVMGetCallSiteAttributes
    LLVMGetCallSiteEnumAttribute LLVMGetCallSiteStringAttribute LLVMGetCalledFunctionType LLVMGetCalledValue
    LLVMGetComdat LLVMGetComdatSelectionKind LLVMGetCurrentDebugLocation2 LLVMGetDLLStorageClass LLVMGetDataLayoutStr
    LLVMGetDefaultTargetTriple LLVMGetDiagInfoDescription LLVMGetDiagInfoSeverity LLVMGetElementAsConstant
    LLVMGetElementType LLVMGetEnumAttributeAtIndex LLVMGetEnumAttributeKind LLVMGetEnumAttributeKindForName
    LLVMGetEnumAttributeValue LLVMGetErrorMessage LLVMGetExact LLVMGetExecutionEngineTargetData LLVMGetFCmpPredicate
    LLVMGetFastMathFlags LLVMGetFirstBasicBlock LLVMGetFirstFunction LLVMGetFirstGlobal LLVMGetFirstInstruction
    LLVMGetFirstParam LLVMGetFirstTarget LLVMGetFirstUse LLVMGetFunctionAddress LLVMGetFunctionCallConv LLVMGetGC
    LLVMGetGEPSourceElementType LLVMGetHostCPUFeatures LLVMGetHostCPUName LLVMGetICmpPredicate LLVMGetICmpSameSign
    LLVMGetIncomingBlock LLVMGetIncomingValue LLVMGetIndices LLVMGetInitializer LLVMGetInlineAsm LLVMGetInsertBlock
    LLVMGetInstructionCallConv LLVMGetInstructionOpcode LLVMGetInstructionParent LLVMGetIntTypeWidth
    LLVMGetIntrinsicDeclaration LLVMGetIntrinsicID LLVMGetIsDisjoint LLVMGetLastBasicBlock LLVMGetLastEnumAttributeKind
    LLVMGetLastFunction LLVMGetLastGlobal LLVMGetLastInstruction LLVMGetLastParam LLVMGetLinkage
    LLVMGetMDKindIDInContext LLVMGetMDNodeNumOperands LLVMGetMDNodeOperands LLVMGetMDString LLVMGetMetadata
    LLVMGetModuleContext LLVMGetModuleDebugMetadataVersion LLVMGetModuleFlag LLVMGetModuleIdentifier LLVMGetNNeg
    LLVMGetNSW LLVMGetNUW LLVMGetNamedFunction LLVMGetNamedGlobal LLVMGetNamedMetadataNumOperands
    LLVMGetNamedMetadataOperands LLVMGetNextBasicBlock LLVMGetNextFunction LLVMGetNextGlobal LLVMGetNextInstruction
    LLVMGetNextParam LLVMGetNextTarget LLVMGetNextUse LLVMGetNumArgOperands LLVMGetNumIndices
    LLVMGetNumOperandBundleArgs LLVMGetNumOperandBundles LLVMGetNumOperands LLVMGetOperand
    LLVMGetOperandBundleArgAtIndex LLVMGetOperandBundleAtIndex LLVMGetOperandBundleTag LLVMGetOperandUse
    LLVMGetOrInsertComdat LLVMGetOrdering LLVMGetParam LLVMGetParamTypes LLVMGetParams LLVMGetPersonalityFn
    LLVMGetPointerAddressSpace LLVMGetPoison LLVMGetPreviousBasicBlock LLVMGetPreviousFunction LLVMGetPreviousGlobal
    LLVMGetPreviousInstruction LLVMGetRelocationOffset LLVMGetRelocationSymbol LLVMGetRelocationType
    LLVMGetRelocationTypeName LLVMGetRelocationValueString LLVMGetRelocations LLVMGetReturnType LLVMGetSection
    LLVMGetSectionAddress LLVMGetSectionContainsSymbol LLVMGetSectionContents LLVMGetSectionName LLVMGetSectionSize
    LLVMGetSourceFileName LLVMGetStringAttributeAtIndex LLVMGetStringAttributeKind LLVMGetStringAttributeValue
    LLVMGetStructElementTypes LLVMGetStructName LLVMGetSubprogram LLVMGetSymbolAddress LLVMGetSymbolName
    LLVMGetSymbolSize LLVMGetTailCallKind LLVMGetTarget LLVMGetTargetDescription LLVMGetTargetFromName
    LLVMGetTargetFromTriple LLVMGetTargetMachineCPU LLVMGetTargetMachineFeatureString LLVMGetTargetMachineTarget
    LLVMGetTargetMachineTriple LLVMGetTargetName LLVMGetThreadLocalMode LLVMGetTypeAttributeValue LLVMGetTypeByName2
    LLVMGetTypeContext LLVMGetTypeKind LLVMGetUndef LLVMGetUnnamedAddress LLVMGetUsedValue LLVMGetUser LLVMGetValueKind
    LLVMGetValueName2 LLVMGetVectorSize LLVMGetVersion LLVMGetVisibility LLVMGetVolatile LLVMGlobalGetValueType
    LLVMGlobalSetMetadata LLVMHalfTypeInContext LLVMHasMetadata LLVMHasPersonalityFn LLVMInitializeAArch64AsmParser
    LLVMInitializeAArch64AsmPrinter LLVMInitializeAArch64Disassembler LLVMInitializeAArch64Target
    LLVMInitializeAArch64TargetInfo LLVMInitializeAArch64TargetMC LLVMInitializeFunctionPassManager
    LLVMInitializeLoongArchAsmParser LLVMInitializeLoongArchAsmPrinter LLVMInitializeLoongArchDisassembler
    LLVMInitializeLoongArchTarget LLVMInitializeLoongArchTargetInfo LLVMInitializeLoongArchTargetMC
    LLVMInitializeRISCVAsmParser LLVMInitializeRISCVAsmPrinter LLVMInitializeRISCVDisassembler LLVMInitializeRISCVTarget
    LLVMInitializeRISCVTargetInfo LLVMInitializeRISCVTargetMC LLVMInitializeX86AsmParser LLVMInitializeX86AsmPrinter
    LLVMInitializeX86Disassembler LLVMInitializeX86Target LLVMInitializeX86TargetInfo LLVMInitializeX86TargetMC
    LLVMInsertBasicBlockInContext LLVMInsertIntoBuilder LLVMInsertIntoBuilderWithName LLVMInstallFatalErrorHandler
    LLVMInstructionClone LLVMInstructionEraseFromParent LLVMInstructionGetDebugLoc LLVMInstructionRemoveFromParent
    LLVMInstructionSetDebugLoc LLVMInt16TypeInContext LLVMInt1TypeInContext LLVMInt32TypeInContext
    LLVMInt64TypeInContext LLVMInt8TypeInContext LLVMIntPtrTypeForASInContext LLVMIntPtrTypeInContext
    LLVMIntTypeInContext LLVMIntrinsicIsOverloaded LLVMIsABasicBlock LLVMIsAConstantArray LLVMIsAConstantDataArray
    LLVMIsAConstantDataVector LLVMIsAConstantInt LLVMIsAConstantVector LLVMIsAFunction LLVMIsAInstruction LLVMIsAMDNode
    LLVMIsAMDString LLVMIsATerminatorInst LLVMIsConditional LLVMIsConstant LLVMIsConstantString LLVMIsDeclaration
    LLVMIsEnumAttribute LLVMIsExternallyInitialized LLVMIsFunctionVarArg LLVMIsGlobalConstant LLVMIsInBounds
    LLVMIsMultithreaded LLVMIsNull LLVMIsOpaqueStruct LLVMIsPackedStruct LLVMIsPoison LLVMIsRelocationIteratorAtEnd
    LLVMIsStringAttribute LLVMIsTailCall LLVMIsThreadLocal LLVMIsTypeAttribute LLVMIsUndef LLVMLinkInInterpreter
    LLVMLinkInMCJIT LLVMLinkModules2 LLVMLoadLibraryPermanently LLVMLookupIntrinsicID LLVMMDNodeInContext2
    LLVMMDStringInContext2 LLVMMetadataAsValue LLVMMetadataReplaceAllUsesWith LLVMMetadataTypeInContext
    LLVMModuleCreateWithNameInContext LLVMMoveBasicBlockAfter LLVMMoveBasicBlockBefore LLVMMoveToContainingSection
    LLVMMoveToNextRelocation LLVMMoveToNextSection LLVMMoveToNextSymbol LLVMNormalizeTargetTriple
    LLVMObjectFileCopySectionIterator LLVMObjectFileCopySymbolIterator LLVMObjectFileIsSectionIteratorAtEnd
    LLVMObjectFileIsSymbolIteratorAtEnd LLVMOffsetOfElement LLVMPPCFP128TypeInContext LLVMParseIRInContext2
    LLVMPassBuilderOptionsSetCallGraphProfile LLVMPassBuilderOptionsSetDebugLogging
    LLVMPassBuilderOptionsSetForgetAllSCEVInLoopUnroll LLVMPassBuilderOptionsSetLicmMssaNoAccForPromotionCap
    LLVMPassBuilderOptionsSetLicmMssaOptCap LLVMPassBuilderOptionsSetLoopInterleaving
    LLVMPassBuilderOptionsSetLoopUnrolling LLVMPassBuilderOptionsSetLoopVectorization
    LLVMPassBuilderOptionsSetMergeFunctions LLVMPassBuilderOptionsSetSLPVectorization
    LLVMPassBuilderOptionsSetVerifyEach LLVMPointerSize LLVMPointerSizeForAS LLVMPointerType LLVMPointerTypeInContext
    LLVMPointerTypeIsOpaque LLVMPositionBuilder LLVMPositionBuilderAtEnd LLVMPositionBuilderBefore
    LLVMPreferredAlignmentOfGlobal LLVMPreferredAlignmentOfType LLVMPrintModuleToFile LLVMPrintModuleToString
    LLVMPrintTypeToString LLVMPrintValueToString LLVMRemoveBasicBlockFromParent LLVMRemoveCallSiteEnumAttribute
    LLVMRemoveCallSiteStringAttribute LLVMRemoveEnumAttributeAtIndex LLVMRemoveModule LLVMRemoveStringAttributeAtIndex
    LLVMReplaceAllUsesWith LLVMResetFatalErrorHandler LLVMRunFunction LLVMRunFunctionAsMain LLVMRunFunctionPassManager
    LLVMRunPassManager LLVMRunPasses LLVMRunPassesOnFunction LLVMRunStaticConstructors LLVMRunStaticDestructors
    LLVMScalableVectorType LLVMSearchForAddressOfSymbol LLVMSetAlignment LLVMSetCleanup LLVMSetComdat
    LLVMSetComdatSelectionKind LLVMSetCurrentDebugLocation2 LLVMSetDLLStorageClass LLVMSetDataLayout LLVMSetExact
    LLVMSetExternallyInitialized LLVMSetFastMathFlags LLVMSetFunctionCallConv LLVMSetGC LLVMSetGlobalConstant
    LLVMSetICmpSameSign LLVMSetInitializer LLVMSetInstrParamAlignment LLVMSetInstructionCallConv LLVMSetIsDisjoint
    LLVMSetIsInBounds LLVMSetLinkage LLVMSetMetadata LLVMSetModuleIdentifier LLVMSetModuleInlineAsm2 LLVMSetNNeg
    LLVMSetNSW LLVMSetNUW LLVMSetOrdering LLVMSetParamAlignment LLVMSetPersonalityFn LLVMSetSection
    LLVMSetSourceFileName LLVMSetSubprogram LLVMSetTailCall LLVMSetTailCallKind LLVMSetTarget
    LLVMSetTargetMachineAsmVerbosity LLVMSetThreadLocal LLVMSetThreadLocalMode LLVMSetUnnamedAddress LLVMSetValueName2
    LLVMSetVisibility LLVMSetVolatile LLVMShutdown LLVMSizeOf LLVMSizeOfTypeInBits LLVMStoreSizeOfType
    LLVMStripModuleDebugInfo LLVMStructCreateNamed LLVMStructGetTypeAtIndex LLVMStructSetBody LLVMStructTypeInContext
    LLVMTargetHasAsmBackend LLVMTargetHasJIT LLVMTargetHasTargetMachine LLVMTargetMachineEmitToFile
    LLVMTargetMachineEmitToMemoryBuffer LLVMTargetMachineOptionsSetABI LLVMTargetMachineOptionsSetCPU
    LLVMTargetMachineOptionsSetCodeGenOptLevel LLVMTargetMachineOptionsSetCodeModel LLVMTargetMachineOptionsSetFeatures
    LLVMTargetMachineOptionsSetRelocMode LLVMTypeIsSized LLVMTypeOf LLVMValueAsBasicBlock LLVMValueAsMetadata
    LLVMValueIsBasicBlock LLVMVectorType LLVMVerifyFunction LLVMVerifyModule LLVMViewFunctionCFG LLVMViewFunctionCFGOnly
    LLVMVoidTypeInContext LLVMWriteBitcodeToFD LLVMWriteBitcodeToMemoryBuffer LLVMX86FP80TypeInContext
}
