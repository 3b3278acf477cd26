"""What the fact sheet knows of the electric company: hosts' paths, keys of requests and answers, headers, words and forms."""

from __future__ import annotations

from sandbox.known import Fact, Known, facts


def keys(section: str, said: str) -> list[Fact]:
    """Return a fact for each key of a text; one that ends in `?` may be null or missing."""
    names = said.split()
    optional = facts("optional", section, *(name[:-1] for name in names if name.endswith("?")))
    return [*facts("key", section, *(name.rstrip("?") for name in names)), *optional]


def sent(section: str, said: str) -> list[Fact]:
    """Return a fact for each key of a request."""
    return facts("sent", section, *said.split())


OKTA = [
    *facts("format", "1.1", "scopes are openid email profile offline_access", "PKCE with S256"),
    *sent("1.2", "username stateToken passCode client_id response_type response_mode scope redirect_uri state nonce"),
    *sent("1.2", "code_challenge_method code_challenge sessionToken code_verifier grant_type code refresh_token"),
    *facts("words", "1.2", "UNAUTHENTICATED", "MFA_CHALLENGE", "SUCCESS"),
    *facts("address", "1.2", "/api/v1/authn", "/api/v1/authn/factors/{factor}/verify"),
    *facts("address", "1.2", "/oauth2/default/v1/authorize", "/oauth2/default/v1/token"),
    *facts("address", "1.1", "/oauth2/default/v1/keys"),
    *keys(
        "1.2", "stateToken expiresAt status _embedded factors id factorType provider vendorName profile email _links"
    ),
    *keys("1.2", "verify href hints allow policy allowRememberDevice rememberDeviceLifetimeInMinutes"),
    *keys("1.2", "rememberDeviceByDefault factorsPolicyInfo cancel factor sessionToken"),
    *facts("contained", "1.3", "@sns.iec.co.il"),
    *facts("format", "1.3", "a code has 6 digits"),
    *facts("name", "1.4", "code", "state", "id_token", "error", "error_description"),
    *facts("attribute", "1.4", "type=hidden"),
    *keys("1.5", "token_type expires_in access_token scope refresh_token id_token"),
    *facts("format", "1.5", "the bearer is id_token: RS256, with iat and exp, 3600 s; its issuer has capitals"),
    *facts("wait", "1.6", "a code to a device, 30 s"),
    *keys("1.6", "errorCode errorSummary errorLink errorId errorCauses error error_description"),
    *facts("words", "1.6", "invalid_grant", "The refresh token is invalid or expired.", "Invalid Passcode/Answer"),
    *facts("format", "1.6", "E0000004, E0000011, E0000047, E0000068, E0000069, E0000079"),
]

MAIN = [
    *facts("header", "2.1", "x-iec-idt: 1", "x-iec-webview: 1", "portalcode: 6", "Authorization: Bearer"),
    *facts("header", "2.1", "accept: application/pdf"),
    *facts("header", "2.3", "RecaptchaToken", "RecaptchToken"),
    *sent("2.3", "contractNumber processType serviceCode fromDate resolution smartMetersList meterKind meterCode"),
    *sent("2.3", "meterSerial lastInvoiceDate emailAddress invoiceNumber contractId bpNumber count onlyOpen"),
    *sent("2.3", "cityCode streetCode houseNumber"),
    *facts("words", "2.3", "Consumption", "BackStream", "צריכה", "דו כיווני"),
    *keys("2.2", "data reponseDescriptor isSuccess code description dataCollection"),
    *facts("format", "2.2", "the code of a success is 0, 00, 26, 300 or null"),
    *facts("address", "2.3", "/api/customer", "/api/customer/mobile/{contract}", "/api/outages/accounts"),
    *facts("address", "2.3", "/api/customer/contract/{bp}", "/api/customer/checkContract/{contract}/{kind}"),
    *facts("address", "2.3", "/api/customer/efs", "/api/Device/LastMeterReading/{contract}/{bp}"),
    *facts("address", "2.3", "/api/Device/{contract}", "/api/Device/{contract}/{device}"),
    *facts("address", "2.3", "/api/Device/type/{bp}/{contract}/false", "/api/Tenant/Identify/{device}"),
    *facts("address", "2.3", "/api/DeviceIn/{contract}", "/api/Consumption/RemoteReadingRange/{contract}"),
    *facts("address", "2.3", "/api/Consumption/SendConsumptionReportToMail/{contract}"),
    *facts("address", "2.3", "/api/ElectricBillsDrawers/ElectricBills/{contract}/{bp}"),
    *facts("address", "2.3", "/api/BillingCollection/invoices/{contract}/{bp}", "/api/BillingCollection/pdf"),
    *facts("address", "2.3", "/api/outages/transactions/{account}/2", "/api/SocialDiscount/{bp}"),
    *facts("address", "2.3", "/api/calculator/touz/{contract}/{bp}/compatible", "/api/Mobility/{contract}/{device}"),
    *facts("address", "2.3", "/api/District/cities", "/api/District/streets/{city}"),
    *facts("address", "2.3", "/api/outages/transactionsByAddress"),
    # I1 to I5
    *keys("2.3", "bpNumber idType accounts mainContractId mainContractIdType companyId name? lastName? bpType"),
    *keys("2.3", "isActiveAccount customerRole accountType customerStatus idNumber firstName mobilePhone email"),
    *keys("2.3", "customer contract accountNumber governmentNumber viewTypeCode email? telephone?"),
    *keys("2.3", "contracts contractAmount totalToPay address contractId dueDate totalDebt frequency status"),
    *keys("2.3", "fromPativteProducer cityCode cityName streetCode streetName houseNumber isTouz smartMeter"),
    *keys("2.3", "debtForInvoicesDueDateNotPassed producerType isDomestic contractNumber deviceNumber bpKind bp city"),
    *keys("2.3", "isPrivate hasDirectDebit isMatam"),
    # I6 to I12
    *keys("2.3", "serviceDescription partner service subscribeDate subscribeTime isActive bpSubscription isSms"),
    *keys("2.3", "communicationMethod sms fax unsubscribeDate registrationStatus"),
    *keys("2.3", "lastMeters? meterReadings materialNumber registerNumber contractAccount reading? readingDate?"),
    *keys("2.3", "serialNumber? readingCode? usage? noteDescription"),
    *keys("2.3", "deviceType? deviceCode? reportResultStatus? disconnectReason? isDisconnected? isElectronic?"),
    *keys("2.3", "mrType counterDevices device register lastMR lastMRDate? lastMRType lastMRTypeDesc lastMrTypeCode?"),
    *keys("2.3", "deviceDigitLength? connectionSize size phase representativeConnectionSize numberOfDevices"),
    *keys("2.3", "deviceBalance? estimatedDaysByWeek? averageUsageCostByWeek? estimatedDaysByMonth?"),
    *keys("2.3", "averageUsageCostByMonth? balanceTime? balanceDate? devicesDetails lastReadingValue lastReadingType"),
    *keys("2.3", "lastReadingDate lastDate? privateProducer devices meterKind?"),
    # I13
    *keys("2.3", "reportStatus reportStatusText? meterList taozList interval taoz reportResultStatusText? meterSerial"),
    *keys("2.3", "meterCode futureConsumptionInfo? lastInvoiceDate? currentDate? futureConsumption? totalImport?"),
    *keys("2.3", "totalImportDate? futureBackStream? multiplierFactor? totalExport? startDate? endDate?"),
    *keys("2.3", "numberOfPeriodAggregated? totalConsumptionForPeriod? totalBackStreamForPeriod? statusForPeriod?"),
    *keys("2.3", "totalImportDateForPeriod? meterStartDate? periodConsumptions consumption backStream"),
    # I15 to I21
    *keys("2.3", "totalAmountToPay totalInvoicesToPay lastDateToPay? invoices property areaId districtId amountOrigin"),
    *keys("2.3", "amountToPay amountPaid invoiceId orderNumber invoicePaymentStatus documentID daysPeriod invoiceType"),
    *keys("2.3", "fullDate? fromDate? toDate? paymentLockIndication transactionsInfo disconnectDate disconnect site"),
    *keys("2.3", "disconnectKey? disconnectType? disconnectTreatmentState? displayName isConnectIndicationBit"),
    *keys("2.3", "estimateTreatmentDate? energizedDate? region area street shovalCityCode logicalName? x? y?"),
    *keys("2.3", "discountExists discountStatusCode contractNumber? discountStartDate discountEndDate isCompatible"),
    *keys("2.3", "isMobilityRequestExist isMobilityInRange"),
    *keys("2.3", "streets shovalStreetCode readDataTime transaction disconnectionType messageToDisplay?"),
    *facts("format", "2.3", "fromDate and lastInvoiceDate of a request are YYYY-MM-DD", "lastDate is DD/MM/YYYY"),
    *facts("optional", "2.3", "counterDevices", "devicesDetails", "deviceNumber", "frequency"),
    *facts("optional", "2.4", "street", "city", "houseNumber", "consumptionOrderViewTypeCode", "id"),
    *facts("format", "2.3", "resolution is 1, 2 or 3", "meterKind is Consumption or BackStream in requests"),
]

MASA = [
    *sent("2.4", "accountId pageNumber pageSize Id contact contract primaryContact"),
    *facts("format", "2.4", "an invitation and the end of one are answered by 201"),
    *sent("2.5", "Accounts StateCode"),
    *facts("address", "2.4", "/api/cities", "/api/contacts/userprofile", "/api/contacts/account/0/userprofile"),
    *facts("address", "2.4", "/api/contacts/{profile}/contract/{contract}"),
    *facts("address", "2.4", "/api/connectionbetweencontactandcontract/remove"),
    *facts("address", "2.4", "/api/connectionbetweencontactandcontract/createconnectionrequest"),
    *facts("address", "2.4", "/api/accounts/{account}/orders/titles", "/api/orderLookup", "/api/voltLevels/active"),
    *facts("address", "2.4", "/equipments/get", "/lookup/all", "/lookup/newConnection/buildingOptions"),
    *keys("2.4", "shovalAreaCode shovalRegionCode governmentid phoneNumber phonePrefix identificationType"),
    *keys("2.4", "consumptionOrderViewTypeCode isConnectedToPrivateAccount isAccountOwner isAccountContact"),
    *keys("2.4", "verificationStatus? connectionBetweenContactAndContract isRegisteredOnDigitalBit kindOfAccountCode"),
    *keys("2.4", "stateCode? site? fullAddress smartCode isSmart supplyCode isPrivateProducer overloadRateSwitchBit?"),
    *keys("2.4", "contractAccNumberInShoval account defaultContractBit partConnectionCode tokenExpirationDate"),
    *keys(
        "2.4", "connectionType? connectionTypeInt contact orders orderCategories typeCodeInt minVoltLevel maxVoltLevel"
    ),
    *keys(
        "2.4", "pageSize pageNumber moreRecords totalRecords pageCookie items accountId accountName addressId regionId"
    ),
    *keys("2.4", "siteId iec_ContractNumber siteType activeConnections connections connectionId connectionNumber"),
    *keys("2.4", "hasOpenOrders shovalOpenOrder? powerConnectionSize isLowVolte isCanIncrease meterId meterNumber"),
    *keys("2.4", "voltType currentReader currentAmpere? currentVoltLevel possible2ShiftBit building hasSAOrders?"),
    *keys("2.4", "shovalSAOrder? multiResidentialBuilding isMaxPublicSitesSum isResidentialBuilding"),
    *keys(
        "2.4", "numOfRelatedSitesInt backuplineOrder? hasBackuplineOrders regions connectionSizeTypes sizeType index"
    ),
    *keys("2.4", "isEnlargeable isAllowResidence? siteTypes orderStatusState actionCodes phonePrefixes key value"),
    *keys("2.4", "orderPurposes desc buildingType? meterSetupTypes stateMachineForOrderStage residenceOptions"),
    *keys("2.4", "commercialOptions tempOptions orderPurpose connectionSizes residenceSizeTypes commercialSizeTypes"),
    *keys("2.4", "publicSizeTypes parkingSizeTypes"),
    *facts("address", "2.5", "/api/accounts/{account}/tranzactions/2", "/api/accounts/tranzactions"),
    *keys("2.5", "siteKeyDesc? disconnectDate? disconnect? disconnectTreatmentStatePortal streetStr address?"),
]

CONTENT = [
    *facts("address", "2.6", "/api/content/{language}/content/tariffs/contentpages/homeelectricitytariff"),
    *facts("address", "2.6", "/api/content/{language}/content/tariffs/tariffslobby/electricitytariffs"),
    *facts("address", "2.6", "/api/content/{language}/calculators/period"),
    *facts("address", "2.6", "/api/content/{language}/calculators/gadget"),
    *keys("2.6", "components pageType title text componentType table rowIndex columnIndex"),
    *facts("sequence", "2.6", "table"),
    *facts("format", "2.6", "table 1 is kWh, 2 distribution, 3 delivery, 5 kVA; row 1 is single-phase, 2 three-phase"),
    *facts("format", "2.6", "a page in another language than he-IL is 204 without a body"),
    *facts("words", "2.6", "richTextEditorComponent", "rteTableComponent"),
    # The sheet says that rows have Hebrew labels, and what two of them mean; the words are assumed.
    *facts("contained", "2.6", "KVA", "חלוקה", "אספקה", "חד", "תלת", guess=True),
    *facts("format", "2.6", "column 0 is the label, 1 without VAT, 2 with VAT; numbers are plain, with a point"),
    *keys("2.6", "period_Calculator_Rates homeRate kvaRate gadget_Calculator_Rates lastUpdated generalRate vat"),
    *facts("map", "2.6", "connectionToPowerSize"),
    *keys("2.6", "electric_Devices calculationResolution powerUnit power avarageDurationTimeOfOperationInMinutes"),
    *keys("2.6", "gadget_Calculator_Actions seoModel"),
    # Errors
    *keys("5.1", "Error Code Rid"),
    *facts("words", "5.1", "Contract is not associated with you.", "You're not authorized to this action!"),
    *facts("words", "5.1", "Contract number is required", "Token should be provide"),
    *facts("words", "5.1", "Something went wrong please try again!"),
    *facts("words", "2.3", "No authorization for this product: PV Product"),
    *facts("contained", "2.3", "Last Invoice date older than 122"),
    # Conventions
    *facts("format", "3", "times have an offset, Z or none (Jerusalem), and fractions of up to 7 digits"),
    *facts("format", "3", "0001-01-01 and 1900-01-01 are unset"),
]

KNOWN = Known([*OKTA, *MAIN, *MASA, *CONTENT])
