"""What a visit is about, by the codes of T/SDPEA §5, in words of our own; and whom a policy is meant for (§7.2.2)."""

from collections.abc import Mapping

from chassis.web.errors import Words

Codes = Mapping[str, Words]

# §5.1: the fields in which needs are heard.
NEEDS: Codes = {
    "energy_efficiency": Words("综合能效", "Overall energy efficiency"),
    "green_energy_saving": Words("绿色节能", "Green energy and saving"),
    "connection": Words("业扩报装", "New and larger connections"),
    "emerging_use": Words("新兴用能", "Emerging ways to use energy"),
    "smart_use": Words("智慧用能", "Smart use of energy"),
    "integrated_energy": Words("综合能源", "Integrated energy"),
}

# §5.2: the policies that are publicised, and what the company does itself.
POLICIES: Codes = {
    "electricity_law": Words("用电法规", "Law on the use of electricity"),
    "agency_purchase": Words("代理购电", "Purchase through the grid company"),
    "prices": Words("电费电价", "Prices and bills"),
    "clean_heating": Words("清洁取暖", "Clean heating"),
    "solar_subsidy": Words("光伏并网补贴", "Solar power: connection and subsidy"),
    "public_benefit": Words("利民惠民举措", "What is done for the public"),
    "rural_revitalisation": Words("乡村振兴举措", "What is done for the countryside"),
    "electrification": Words("电气化建设举措", "What is done for electrification"),
}

# §5.3: the services that are promoted.
SERVICES: Codes = {
    "energy_saving_retrofit": Words("节能改造", "Energy-saving retrofit"),
    "multi_supply": Words("电冷热供应", "Supply of power, cold and heat"),
    "efficiency_monitoring": Words("能效监控诊断", "Monitoring and diagnosis of efficiency"),
    "energy_custody": Words("能源托管交易", "Energy management and trading on behalf"),
    "wind_solar_storage_charging": Words("“风光储充”能源系统", "Wind, solar, storage and charging systems"),
    "smart_building": Words("智慧楼宇能效提升", "Efficiency of smart buildings"),
    "smart_energy_platform": Words("智慧能源管控平台", "Platforms to control energy"),
}

# §5.4: the topics of consultation.
TOPICS: Codes = {
    "prices_and_bills": Words("电价电费", "Prices and bills"),
    "outages": Words("停送电信息", "Outages and restoration"),
    "supply_service": Words("供电服务信息", "The service of supply"),
    "business": Words("用电业务", "Applications and changes"),
    "charges": Words("业务收费", "Charges for them"),
    "customer_data": Words("客户资料", "The customer's data"),
    "metering": Words("计量装置", "Meters"),
    "law": Words("法律法规", "Law"),
    "service_standards": Words("服务规范", "Service standards"),
    "efficiency_service": Words("能效公共服务", "Public efficiency service"),
    "vehicle_charging": Words("电动汽车充换电", "Charging and battery exchange of vehicles"),
    "technique": Words("用电技术及常识", "Technique and common knowledge"),
}

# How interested a customer is in what was promoted.
INTEREST: Codes = {
    "none": Words("无意向", "Not interested"),
    "low": Words("初步了解", "Wants to know more"),
    "medium": Words("有意向", "Interested"),
    "high": Words("意向强烈", "Wants it"),
}

# §7.2.2: the traits of use by which policies are told apart.
TRAITS: Codes = {
    "high_voltage": Words("高压用电", "High voltage"),
    "low_voltage": Words("低压非居民", "Low voltage, not a household"),
    "household": Words("居民生活", "Household"),
    "high_consumption": Words("用电量大", "Large consumption"),
    "fast_growth": Words("用电增长快", "Fast growing consumption"),
    "time_of_use": Words("执行分时电价", "Time-of-use prices"),
    "market_trading": Words("参与市场化交易", "Trades on the market"),
    "own_generation": Words("自有发电", "Generation of its own"),
    "storage": Words("配置储能", "Storage"),
    "vehicle_charging": Words("充换电设施", "Vehicle charging"),
    "electric_heating": Words("电采暖", "Electric heating"),
    "seasonal": Words("季节性用电", "Seasonal use"),
}

# §7.2.2: the industries, by the sections of GB/T 4754-2017.
INDUSTRIES: Codes = {
    "A": Words("农、林、牧、渔业", "Agriculture, forestry, animal husbandry, fishery"),
    "B": Words("采矿业", "Mining"),
    "C": Words("制造业", "Manufacturing"),
    "D": Words("电力、热力、燃气及水生产和供应业", "Power, heat, gas and water"),
    "E": Words("建筑业", "Construction"),
    "F": Words("批发和零售业", "Trade"),
    "G": Words("交通运输、仓储和邮政业", "Transport, storage and post"),
    "H": Words("住宿和餐饮业", "Accommodation and catering"),
    "I": Words("信息传输、软件和信息技术服务业", "Information technology"),
    "J": Words("金融业", "Finance"),
    "K": Words("房地产业", "Real estate"),
    "L": Words("租赁和商务服务业", "Leasing and business services"),
    "M": Words("科学研究和技术服务业", "Research and technical services"),
    "N": Words("水利、环境和公共设施管理业", "Water, environment and public facilities"),
    "O": Words("居民服务、修理和其他服务业", "Household and repair services"),
    "P": Words("教育", "Education"),
    "Q": Words("卫生和社会工作", "Health and social work"),
    "R": Words("文化、体育和娱乐业", "Culture, sports and entertainment"),
    "S": Words("公共管理、社会保障和社会组织", "Public administration"),
    "T": Words("国际组织", "International organisations"),
}
